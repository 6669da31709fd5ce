import { type Formula, sum } from "../formula.ts";

const activations = { tanh: Math.tanh, relu: (x: number) => Math.max(0, x) };

export const formula: Formula = (p, x, { h }, { activation = "tanh" }) => ({
  h: h!.map((_, j) => activations[activation as "tanh" | "relu"](sum(p, x, h!, j))),
});
