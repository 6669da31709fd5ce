import { type Formula, sigmoid, sum } from "../formula.ts";

export const formula: Formula = (p, x, { h, c }) => {
  const H = h!.length;
  const gate = (k: number, j: number) => sum(p, x, h!, k * H + j);
  const peep = (name: "pi" | "pf" | "po", j: number) => p[name]![0]![j]!;
  const next = c!.map((before, j) => {
    const i = sigmoid(gate(0, j) + peep("pi", j) * before);
    const f = sigmoid(gate(1, j) + peep("pf", j) * before);
    return f * before + i * Math.tanh(gate(2, j));
  });
  const shown = next.map(
    (after, j) => sigmoid(gate(3, j) + peep("po", j) * after) * Math.tanh(after),
  );
  return { h: shown, c: next };
};
