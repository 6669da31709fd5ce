import { type Formula, sigmoid, sum, times } from "../formula.ts";

export const formula: Formula = (p, x, { h, c }) => {
  const H = c!.length;
  const gate = (k: number, j: number) => sum(p, x, h!, k * H + j);
  const next = c!.map(
    (before, j) => sigmoid(gate(1, j)) * before + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)),
  );
  const shown = next.map((after, j) => sigmoid(gate(3, j)) * Math.tanh(after));
  return { h: h!.map((_, k) => times(shown, p.Whr!, k)), c: next };
};
