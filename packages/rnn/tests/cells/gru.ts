import { type Formula, sigmoid, sum, times } from "../formula.ts";

export const formula: Formula = (p, x, { h }) => {
  const H = h!.length;
  const next = h!.map((before, j) => {
    const [r, z] = [sigmoid(sum(p, x, h!, j)), sigmoid(sum(p, x, h!, H + j))];
    const k = 2 * H + j;
    const n = Math.tanh(
      times(x, p.W!, k) + p.b![0]![k]! + r * (times(h!, p.U!, k) + p.bn![0]![j]!),
    );
    return (1 - z) * n + z * before;
  });
  return { h: next };
};
