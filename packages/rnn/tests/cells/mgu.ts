import { type Formula, sigmoid, sum } from "../formula.ts";

export const formula: Formula = (p, x, { h }) => {
  const H = h!.length;
  const f = h!.map((_, j) => sigmoid(sum(p, x, h!, j)));
  const forgotten = h!.map((before, j) => f[j]! * before);
  const next = h!.map((before, j) => {
    return (1 - f[j]!) * before + f[j]! * Math.tanh(sum(p, x, forgotten, H + j));
  });
  return { h: next };
};
