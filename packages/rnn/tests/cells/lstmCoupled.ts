import { type Formula, sigmoid, sum } from "../formula.ts";

export const formula: Formula = (p, x, { h, c }) => {
  const H = h!.length;
  const gate = (k: number, j: number) => sum(p, x, h!, k * H + j);
  const next = c!.map((before, j) => {
    const f = sigmoid(gate(0, j));
    return f * before + (1 - f) * Math.tanh(gate(1, j));
  });
  return { h: next.map((after, j) => sigmoid(gate(2, j)) * Math.tanh(after)), c: next };
};
