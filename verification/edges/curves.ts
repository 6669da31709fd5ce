import {
  abs,
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cos,
  cosh as coshOp,
  elu,
  erf,
  expm1 as expm1Op,
  exp as expOp,
  gelu,
  leakyRelu,
  log,
  log1p,
  log2,
  log10,
  logSigmoid,
  neg,
  pow,
  reciprocal,
  relu,
  rsqrt,
  sigmoid as sigmoidOp,
  silu,
  sin,
  sinh as sinhOp,
  softplus,
  sqrt,
  square,
  type Tensor,
  tan,
  tanh as tanhOp,
} from "@chronograd/autodiff";
import { Big } from "./big.ts";
import {
  cosh,
  cumulative,
  density,
  exp,
  logistic,
  log as naturalLog,
  pi,
  sigmoid,
  sinCos,
  sinh,
  tanh,
} from "./functions.ts";

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

const one = Big.of(1);
const zero = Big.of(0);
/** `(1 - x)(1 + x)`. */
const gap = (x: Big): Big => one.sub(x).mul(one.add(x));
const inside = (x: Big): boolean => x.abs().isLess(1);
const positive = (x: Big): boolean => x.sign > 0;
const step = (x: Big, below: Big | number, above: Big | number): Big => {
  const value = x.sign < 0 ? below : above;
  return typeof value === "number" ? Big.of(value) : value;
};
const bend = (x: Big): Big =>
  logistic(x)
    .mul(tanh(x.div(2)))
    .neg();
/**
 * With `u = sqrt(2 / pi) (x + 0.044715 x^3)`: `(1 + tanh u) / 2`, its derivative by `u`, `tanh u`,
 * `u'` and `u''`.
 */
function geluByTanh(x: Big): Record<"half" | "bend" | "t" | "u1" | "u2", Big> {
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
const nearOne = (x: Big): Big => (x.sign > 0 && x.isLess(24) ? one : zero);

/** `c / x^n`. */
const over = (c: number, n: number) => (x: Big) => Big.of(c).div(x.power(n));
const upTo40 = (x: Big): Big => (x.abs().isLess(40) ? x.abs().add(1) : one);
/** Where a factor like `x^2` multiplies a value that underflows. */
const amplified = (x: Big): Big => x.mul(x).add(4);
const isNotZero = (x: Big): boolean => x.sign !== 0;

export const curves: readonly Curve[] = [
  { name: "neg", f: neg, first: () => one.neg(), second: () => zero },
  { name: "abs", f: abs, first: (x) => step(x, -1, 1), second: () => zero },
  { name: "exp", f: expOp, first: exp, second: exp },
  { name: "expm1", f: expm1Op, first: exp, second: exp },
  { name: "log", f: log, first: over(1, 1), second: over(-1, 2), domain: positive },
  {
    name: "log2",
    f: log2,
    first: (x) => one.div(x.mul(naturalLog(Big.of(2)))),
    second: (x) => one.div(x.mul(x).mul(naturalLog(Big.of(2)))).neg(),
    domain: positive,
  },
  {
    name: "log10",
    f: log10,
    first: (x) => one.div(x.mul(naturalLog(Big.of(10)))),
    second: (x) => one.div(x.mul(x).mul(naturalLog(Big.of(10)))).neg(),
    domain: positive,
  },
  {
    name: "log1p",
    f: log1p,
    first: (x) => one.div(one.add(x)),
    second: (x) => over(-1, 2)(one.add(x)),
    domain: (x) => positive(one.add(x)),
    near: [-1],
  },
  {
    name: "sqrt",
    f: sqrt,
    first: (x) => Big.of(0.5).div(x.sqrt()),
    second: (x) => Big.of(-0.25).div(x.sqrt().mul(x)),
    domain: positive,
  },
  {
    name: "rsqrt",
    f: rsqrt,
    first: (x) => Big.of(-0.5).div(x.sqrt().mul(x)),
    second: (x) => Big.of(0.75).div(x.sqrt().mul(x).mul(x)),
    domain: positive,
  },
  { name: "square", f: square, first: (x) => x.mul(2), second: () => Big.of(2) },
  {
    name: "pow(3)",
    f: (x) => pow(x, 3),
    first: (x) => x.power(2).mul(3),
    second: (x) => x.mul(6),
  },
  {
    name: "reciprocal",
    f: reciprocal,
    first: over(-1, 2),
    second: over(2, 3),
    domain: isNotZero,
  },
  { name: "sin", f: sin, first: (x) => sinCos(x)[1], second: (x) => sinCos(x)[0].neg() },
  {
    name: "cos",
    f: cos,
    first: (x) => sinCos(x)[0].neg(),
    second: (x) => sinCos(x)[1].neg(),
  },
  {
    name: "tan",
    f: tan,
    first: (x) => over(1, 2)(sinCos(x)[1]),
    second(x) {
      const [s, c] = sinCos(x);
      return s.mul(2).div(c.power(3));
    },
  },
  {
    name: "asin",
    f: asin,
    first: (x) => one.div(gap(x).sqrt()),
    second: (x) => x.div(gap(x).sqrt().mul(gap(x))),
    domain: inside,
    near: [1, -1],
  },
  {
    name: "acos",
    f: acos,
    first: (x) => one.div(gap(x).sqrt()).neg(),
    second: (x) => x.div(gap(x).sqrt().mul(gap(x))).neg(),
    domain: inside,
    near: [1, -1],
  },
  {
    name: "atan",
    f: atan,
    first: (x) => one.div(x.mul(x).add(1)),
    second: (x) => x.mul(-2).div(x.mul(x).add(1).power(2)),
  },
  { name: "sinh", f: sinhOp, first: cosh, second: sinh },
  { name: "cosh", f: coshOp, first: sinh, second: cosh },
  {
    name: "asinh",
    f: asinh,
    first: (x) => one.div(x.mul(x).add(1).sqrt()),
    second: (x) => x.neg().div(x.mul(x).add(1).sqrt().power(3)),
  },
  {
    name: "acosh",
    f: acosh,
    first: (x) => one.div(gap(x).neg().sqrt()),
    second: (x) => x.neg().div(gap(x).neg().sqrt().power(3)),
    domain: (x) => positive(x.sub(1)),
    near: [1],
  },
  {
    name: "atanh",
    f: atanh,
    first: (x) => one.div(gap(x)),
    second: (x) => x.mul(2).div(gap(x).power(2)),
    domain: inside,
    near: [1, -1],
  },
  {
    // From the output: 1 - y^2 with y rounded.
    name: "tanh",
    f: tanhOp,
    first: (x) => over(1, 2)(cosh(x)),
    second: (x) => tanh(x).mul(-2).div(cosh(x).power(2)),
    slack: [(x) => tanh(x).power(2), (x) => tanh(x).abs()],
  },
  {
    // The square in exp(-x^2) is rounded.
    name: "erf",
    f: erf,
    lost: amplified,
    slack: [
      (x) => exp(x.mul(x).neg()).mul(x.mul(x)).mul(2),
      (x) => exp(x.mul(x).neg()).mul(x.mul(x)).mul(x.abs()).mul(4),
    ],
    first: (x) => exp(x.mul(x).neg()).mul(2).div(pi().sqrt()),
    second: (x) => exp(x.mul(x).neg()).mul(x).mul(-4).div(pi().sqrt()),
  },
  {
    // From the output: y - y^2 with y rounded.
    name: "sigmoid",
    f: sigmoidOp,
    first: logistic,
    second: bend,
    slack: [sigmoid, sigmoid],
  },
  {
    name: "softplus",
    f: softplus,
    first: sigmoid,
    second: logistic,
    slack: [() => zero, sigmoid],
  },
  {
    name: "logSigmoid",
    f: logSigmoid,
    first: (x) => sigmoid(x.neg()),
    second: (x) => logistic(x).neg(),
    slack: [() => zero, (x) => sigmoid(x.neg())],
  },
  { name: "relu", f: relu, first: (x) => step(x, 0, 1), second: () => zero },
  {
    name: "gelu",
    f: gelu,
    first: (x) => cumulative(x).add(x.mul(density(x))),
    second: (x) => density(x).mul(Big.of(2).sub(x.mul(x))),
    near: [-0.7517915, Math.SQRT2],
    lost: amplified,
    // The two terms cancel near -0.75, and the square in exp(-x^2/2) is rounded.
    slack: [
      (x) => cumulative(x).add(density(x).mul(x.abs()).mul(x.mul(x).add(1))),
      (x) => density(x).mul(x.mul(x).add(2)).mul(x.mul(x).add(1)),
    ],
  },
  {
    name: "gelu by tanh",
    f: (x) => gelu(x, { approximate: "tanh" }),
    first(x) {
      const { half, bend, u1 } = geluByTanh(x);
      return half.add(x.mul(bend).mul(u1));
    },
    second(x) {
      const { bend, u1, u2, t } = geluByTanh(x);
      const curve = u2.sub(t.mul(u1).mul(u1).mul(2));
      return bend.mul(u1.mul(2).add(x.mul(curve)));
    },
    near: [-0.7524614, 1.4],
    // The value that underflows is multiplied by u'^2.
    lost: (x) => x.power(6).add(4),
    // The argument of the sigmoid is rounded, and so is the sigmoid near 1, from which the rule
    // takes its distance.
    slack: [
      (x) => geluByTanh(x).bend.add(nearOne(x)).mul(x.power(4).add(x.abs()).add(1)),
      (x) => geluByTanh(x).bend.add(nearOne(x)).mul(x.power(6).add(x.abs()).add(2)),
    ],
  },
  {
    name: "silu",
    f: silu,
    first: (x) => sigmoid(x).mul(one.add(x.mul(sigmoid(x.neg())))),
    second: (x) => logistic(x).mul(Big.of(2).sub(x.mul(tanh(x.div(2))))),
    near: [-1.2784645, 2.3993573],
    lost: amplified,
    // y - y s cancels above 0, until s is 1.
    slack: [(x) => sigmoid(x).mul(upTo40(x)), (x) => sigmoid(x).mul(upTo40(x)).mul(2)],
  },
  {
    name: "leakyRelu",
    f: (x) => leakyRelu(x, 0.125),
    first: (x) => step(x, 0.125, 1),
    second: () => zero,
  },
  {
    name: "elu",
    f: (x) => elu(x, 0.75),
    first: (x) => step(x, exp(x).mul(0.75), one),
    second: (x) => step(x, exp(x).mul(0.75), zero),
  },
];
