import type { Tensor } from "@chronograd/autodiff";
import { Big } from "./big.ts";
import { logistic, pi, sigmoid, tanh } from "./functions.ts";

/** A function of one number, its derivatives, and where they are finite. */
export interface Curve {
  readonly name: string;
  readonly f: (x: Tensor) => Tensor;
  readonly first: (x: Big) => Big;
  readonly second: (x: Big) => Big;
  readonly domain?: (x: Big) => boolean;
  /** Points of which the neighbours are drawn as well. */
  readonly near?: readonly number[];
  /** Smallest subnormals by which a factor that underflows may miss; 4 unless given. */
  readonly lost?: (x: Big) => Big;
  /**
   * Errors beside the last places of the derivative itself that rounding what the rule reads may
   * cause, in units of rounding.
   */
  readonly slack?: readonly [first: (x: Big) => Big, second: (x: Big) => Big];
}

export const one = Big.of(1);
export const zero = Big.of(0);
/** `(1 - x)(1 + x)`. */
export const gap = (x: Big): Big => one.sub(x).mul(one.add(x));
export const inside = (x: Big): boolean => x.abs().isLess(1);
export const positive = (x: Big): boolean => x.sign > 0;
export const step = (x: Big, below: Big | number, above: Big | number): Big => {
  const value = x.sign < 0 ? below : above;
  return typeof value === "number" ? Big.of(value) : value;
};
export const bend = (x: Big): Big =>
  logistic(x)
    .mul(tanh(x.div(2)))
    .neg();
/**
 * With `u = sqrt(2 / pi) (x + 0.044715 x^3)`: `(1 + tanh u) / 2`, its derivative by `u`, `tanh u`,
 * `u'` and `u''`.
 */
export function geluByTanh(x: Big): Record<"half" | "bend" | "t" | "u1" | "u2", Big> {
  const [c, a] = [Big.of(2).div(pi()).sqrt(), Big.of(0.044715)];
  const u = c.mul(x.add(a.mul(x.power(3))));
  return {
    half: sigmoid(u.mul(2)),
    bend: logistic(u.mul(2)).mul(2),
    t: tanh(u),
    u1: c.mul(one.add(a.mul(3).mul(x).mul(x))),
    u2: c.mul(a).mul(6).mul(x),
  };
}

/** 1 where the sigmoid of `geluByTanh` may be near 1 but not equal to it, 0 elsewhere. */
export const nearOne = (x: Big): Big => (x.sign > 0 && x.isLess(24) ? one : zero);

/** `c / x^n`. */
export const over = (c: number, n: number) => (x: Big) => Big.of(c).div(x.power(n));
export const upTo40 = (x: Big): Big => (x.abs().isLess(40) ? x.abs().add(1) : one);
/** Where a factor like `x^2` multiplies a value that underflows. */
export const amplified = (x: Big): Big => x.mul(x).add(4);
export const isNotZero = (x: Big): boolean => x.sign !== 0;
