import { type Formula, sigmoid, times } from "../formula.ts";

export const formula: Formula = (p, x, { h }) => {
  const H = h!.length;
  const projected = (k: number) => times(x, p.W!, k) + p.b![0]![k]!;
  const next = h!.map((before, j) => {
    const z = sigmoid(projected(j));
    return (1 - z) * before + z * projected(H + j);
  });
  return { h: next };
};
