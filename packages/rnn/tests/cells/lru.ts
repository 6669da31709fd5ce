import { type Formula, times } from "../formula.ts";

export const formula: Formula = (p, x, { h }) => {
  const H = h!.length / 2;
  const [nu, theta, logGamma] = p.eigenvalues!;
  const next: number[] = [];
  for (let k = 0; k < H; k++) {
    const radius = Math.exp(-Math.exp(nu![k]!));
    const [cos, sin] = [Math.cos(Math.exp(theta![k]!)), Math.sin(Math.exp(theta![k]!))];
    const gamma = Math.exp(logGamma![k]!);
    const [re, im] = [h![k]!, h![H + k]!];
    next[k] = radius * (cos * re - sin * im) + gamma * times(x, p.B!, k);
    next[H + k] = radius * (cos * im + sin * re) + gamma * times(x, p.B!, H + k);
  }
  const output = x.map((value, i) => times(next, p.C!, i) + p.D![0]![i]! * value);
  return { h: next, output };
};
