import { type Formula, sigmoid, times } from "../formula.ts";

export const formula: Formula = (p, x, { h }) => {
  const H = h!.length;
  const projected = (k: number) => times(x, p.W!, k) + p.b![0]![k]!;
  const next = h!.map((before, j) => {
    const [i, f] = [sigmoid(projected(j)), sigmoid(projected(H + j))];
    return (f / (f + i)) * before + (i / (f + i)) * projected(2 * H + j);
  });
  return { h: next };
};
