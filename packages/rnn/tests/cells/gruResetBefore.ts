import { type Formula, sigmoid, sum } from "../formula.ts";

export const formula: Formula = (p, x, { h }) => {
  const H = h!.length;
  const reset = h!.map((before, j) => sigmoid(sum(p, x, h!, j)) * before);
  const next = h!.map((before, j) => {
    const z = sigmoid(sum(p, x, h!, H + j));
    return (1 - z) * Math.tanh(sum(p, x, reset, 2 * H + j)) + z * before;
  });
  return { h: next };
};
