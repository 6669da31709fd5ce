import {
  add,
  atan2,
  div,
  hypot,
  maximum,
  minimum,
  mul,
  norm,
  pow,
  stack,
  std,
  sub,
  type Tensor,
  variance,
} from "@chronograd/autodiff";
import { Big } from "./big.ts";
import { exp, log } from "./functions.ts";

/** First derivatives by both operands, and second ones: `[fa, fb, faa, fab, fbb]`. */
export type Partials = readonly [Big, Big, Big, Big, Big];
type Five = [Big, Big, Big, Big, Big];

/** A function of two numbers and its derivatives. */
export interface Surface {
  readonly name: string;
  readonly f: (a: Tensor, b: Tensor) => Tensor;
  readonly partials: (a: Big, b: Big) => Partials;
  readonly domain?: (a: Big, b: Big, largest: Big) => boolean;
  /**
   * Where second derivatives are not too close to the ends of the range, given the largest float.
   */
  readonly smooth?: (a: Big, b: Big, largest: Big) => boolean;
  /** As a curve's, for first derivatives and for second ones. */
  readonly lost?: (a: Big, b: Big) => readonly [first: Big, second: Big];
  /** As a curve's, for each of the five. */
  readonly slack?: (a: Big, b: Big) => Partials;
  /** Draws operands of similar size, where different sizes test nothing. */
  readonly areAlike?: boolean;
}

const zero = Big.of(0);
const one = Big.of(1);
const four = Big.of(4);
const areApart = (a: Big, b: Big): boolean => a.sub(b).sign !== 0;
/** A quotient that is subnormal has lost places when it is divided once more, and again. */
const again = (b: Big): [Big, Big] => {
  const inverse = one.div(b.abs()).add(four);
  return [inverse, inverse.mul(inverse)];
};
const isNotZero = (_a: Big, b: Big): boolean => b.sign !== 0;
/** Two columns as one tensor of rows. */
export const rows = (a: Tensor, b: Tensor): Tensor => stack([a, b], -1);

function squared(a: Big, b: Big): Big {
  return a.mul(a).add(b.mul(b));
}

function lengths(a: Big, b: Big): Partials {
  const y = squared(a, b).sqrt();
  const cube = y.power(3);
  return [a.div(y), b.div(y), b.mul(b).div(cube), a.mul(b).div(cube).neg(), a.mul(a).div(cube)];
}

function powers(a: Big, b: Big): Partials {
  const l = log(a);
  const y = exp(b.mul(l));
  return [
    b.mul(y).div(a),
    y.mul(l),
    b.mul(b.sub(1)).mul(y).div(a.mul(a)),
    y.div(a).mul(one.add(b.mul(l))),
    y.mul(l).mul(l),
  ];
}

/** A function of `a - b` alone, from its two derivatives. */
export function ofDifference(first: Big, second: Big): Partials {
  return [first, first.neg(), second, second.neg(), second];
}

/** 1 - (a/y)^2 cancels where b is small. */
const length: Pick<Surface, "partials" | "slack" | "smooth" | "lost"> = {
  partials: lengths,
  lost: (a, b) => [four, again(squared(a, b).sqrt())[0]],
  slack(a, b) {
    const inverse = one.div(squared(a, b).sqrt());
    return [zero, zero, inverse, zero, inverse];
  },
  smooth: (a, b, largest) => one.isLess(squared(a, b).sqrt().mul(largest).div(16)),
};

/** Far enough from the largest float for sums and squares of differences. */
export const moderate = (a: Big, b: Big, largest: Big): boolean =>
  a.abs().add(b.abs()).mul(8).isLess(largest);

/** Functions of two operands. */
export const surfaces: readonly Surface[] = [
  { name: "add", f: add, partials: () => [one, one, zero, zero, zero] },
  { name: "sub", f: sub, partials: () => [one, one.neg(), zero, zero, zero] },
  { name: "mul", f: mul, partials: (a, b) => [b, a, zero, one, zero] },
  {
    name: "div",
    f: div,
    partials: (a, b) => [
      one.div(b),
      a.div(b.mul(b)).neg(),
      zero,
      one.div(b.mul(b)).neg(),
      a.mul(2).div(b.power(3)),
    ],
    domain: isNotZero,
    lost: (_a, b) => again(b),
  },
  {
    name: "pow",
    f: pow,
    partials: powers,
    // A small exponent does not prevent the overflow of 1/a^2.
    domain: (a, b, largest) =>
      a.sign > 0 && (one.isLess(b.abs()) || one.isLess(a.mul(a).mul(largest))),
    // Where the value neither overflows nor vanishes.
    smooth(a, b, largest) {
      const y = exp(b.mul(log(a)));
      return y.isLess(largest) && one.isLess(y.mul(largest)) && one.isLess(a.mul(largest));
    },
    lost(a, b) {
      const factor = b.abs().add(log(a).abs()).add(four);
      return [factor, factor.mul(factor)];
    },
    // b - 1 is rounded, and 1 + b log a cancels.
    slack(a, b) {
      const rounding = b.abs().add(1).mul(log(a).abs());
      const [fa, fb, faa, , fbb] = powers(a, b).map((p) => p.abs().mul(rounding)) as Five;
      return [fa, fb, faa, fa.div(b.abs()).mul(rounding.add(1)), fbb];
    },
  },
  {
    name: "maximum",
    f: maximum,
    partials: (a, b) =>
      b.isLess(a) ? [one, zero, zero, zero, zero] : [zero, one, zero, zero, zero],
    domain: areApart,
  },
  {
    name: "minimum",
    f: minimum,
    partials: (a, b) =>
      a.isLess(b) ? [one, zero, zero, zero, zero] : [zero, one, zero, zero, zero],
    domain: areApart,
  },
  {
    name: "atan2",
    f: atan2,
    partials(a, b) {
      const r = squared(a, b);
      const r2 = r.mul(r);
      const mixed = a.mul(a).sub(b.mul(b)).div(r2);
      const pure = a.mul(b).mul(2).div(r2);
      return [b.div(r), a.div(r).neg(), pure.neg(), mixed, pure];
    },
    slack(a, b) {
      const inverse = one.div(squared(a, b));
      return [zero, zero, zero, inverse, zero];
    },
    lost: (a, b) => again(squared(a, b).sqrt()),
    smooth: (a, b, largest) => one.isLess(squared(a, b).mul(largest).div(16)),
  },
  { name: "hypot", f: hypot, ...length },
  { name: "norm", f: (a, b) => norm(rows(a, b), -1), ...length },
  {
    name: "variance",
    f: (a, b) => variance(rows(a, b), -1),
    partials: (a, b) => ofDifference(a.sub(b).div(2), Big.of(0.5)),
    domain: moderate,
  },
  {
    name: "std",
    f: (a, b) => std(rows(a, b), -1),
    partials(a, b) {
      const slope = Big.of(a.sub(b).sign / 2);
      return [slope, slope.neg(), zero, zero, zero];
    },
    // The mean of subnormal numbers is rounded to one.
    domain: (a, b, largest) =>
      one.isLess(a.sub(b).abs().mul(largest).shift(-60)) && moderate(a, b, largest),
    // Two halves of a curvature cancel.
    slack(a, b) {
      const inverse = one.div(a.sub(b).abs());
      return [zero, zero, inverse, inverse, inverse];
    },
  },
];
