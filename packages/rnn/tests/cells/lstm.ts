import { type Formula, sigmoid, sum } from "../formula.ts";

export const formula: Formula = (p, x, { h, c }) => {
  const H = h!.length;
  const gate = (k: number, j: number) => sum(p, x, h!, k * H + j);
  const next = c!.map(
    (before, j) => sigmoid(gate(1, j)) * before + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)),
  );
  return { h: next.map((after, j) => sigmoid(gate(3, j)) * Math.tanh(after)), c: next };
};
