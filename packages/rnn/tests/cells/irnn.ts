import { type Formula, sum } from "../formula.ts";

export const formula: Formula = (p, x, { h }) => ({
  h: h!.map((_, j) => Math.max(0, sum(p, x, h!, j))),
});
