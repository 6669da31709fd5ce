import { inFile, type Mutant } from "../mutant.ts";

const reduce = inFile("packages/autodiff/src/ops/reduce.ts", [
  {
    name: "sum: the gradient of a mean",
    kind: "mean as sum",
    find: "vjp: (g, x, _y, axes) => spread(g, x.shape, axes),",
    replace: "vjp: (g, x, y, axes) => spread(g, x.shape, axes).mul(y.size / Math.max(1, x.size)),",
  },
  {
    name: "max: a tie gives everybody the whole gradient",
    kind: "ties",
    find: "return attained.div(attained.sum(axes, { keepDims: true }));",
    replace: "return attained;",
  },
  {
    name: "max: shares of all axes together",
    kind: "wrong axis",
    find: "attained.div(attained.sum(axes, { keepDims: true }))",
    replace: "attained.div(attained.sum())",
  },
  {
    name: "max: the tangents of all elements",
    kind: "mask ignored",
    find: "dx.mul(shareOfExtreme(x, y, axes)).sum(axes)",
    replace: "dx.sum(axes)",
  },
  {
    name: "max: y not declared as kept",
    kind: "guard lost",
    find: "residuals: { inputs: [0], output: true },\n  empty: false,\n  apart: true,",
    replace: "residuals: { inputs: [0], output: false },\n  empty: false,\n  apart: true,",
  },
  {
    name: "logSumExp: not divided by the sum",
    kind: "factor",
    find: "x.sub(where(isInfinite, 0, kept))",
    replace: "x",
  },
  {
    name: "logSumExp: the largest is all there is where y is coarse",
    kind: "range",
    find: "return parts.div(where(equal(total, 0), 1, total));",
    replace: "return parts;",
  },
  {
    name: "logSumExp: NaN where one is Infinity",
    kind: "range",
    find: "where(isInfinite, equal(x, Infinity), shifted.exp())",
    replace: "x.sub(where(equal(kept, -Infinity), 0, kept)).exp()",
  },
  {
    name: "logSumExp: tangents not weighted",
    kind: "forgotten term",
    find: "responsibilities(x, y, axes).mul(dx).sum(axes)",
    replace: "dx.sum(axes)",
  },
  {
    name: "logSumExp: NaN where everything is -Infinity",
    kind: "wrong function",
    find: "parts.div(where(equal(total, 0), 1, total))",
    replace: "parts.div(total)",
  },
  {
    name: "sumTo: stretched axes of length 1 not summed",
    kind: "missing reduction",
    find: "axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1)",
    replace: "axis < lead",
  },
]);

const statistics = inFile("packages/autodiff/src/ops/statistics.ts", [
  {
    name: "mean: the sum",
    kind: "mean as sum",
    find: "return sum(x, list, options).div(count);",
    replace: "return sum(x, list, options);",
  },
  {
    name: "mean: divided by the count of all axes",
    kind: "wrong count",
    find: "return sum(x, list, options).div(count);",
    replace: "return sum(x, list, options).div(x.size);",
  },
  {
    name: "variance: the mean as a constant, right but for second derivatives",
    kind: "lost gradient",
    find: "x.sub(mean(x, list, { keepDims: true }))",
    replace: "x.sub(mean(x, list, { keepDims: true }).detach())",
  },
  {
    name: "variance: the correction ignored",
    kind: "wrong count",
    find: "Math.max(0, count - correction)",
    replace: "count",
  },
  {
    name: "prod: the odd one out without a gradient",
    kind: "lost gradient",
    find: "concat([paired, part(length - 1, length)], -1)",
    replace: "concat([paired, part(length - 1, length).detach()], -1)",
  },
]);

const cumulative = inFile("packages/autodiff/src/ops/cumulative.ts", [
  {
    name: "cumsum: the gradient runs the same way",
    kind: "off by one in time",
    find: "reverse: !reverse",
    replace: "reverse",
  },
]);

const euclidean = inFile("packages/autodiff/src/ops/euclidean.ts", [
  {
    name: "norm: NaN at zero",
    kind: "wrong function",
    find: "scaled.div(where(isZero, 1, length))",
    replace: "scaled.div(length)",
  },
  {
    name: "norm: a second derivative at zero that is a scale of its own",
    kind: "range",
    find: "where(isZero, 0, where(equal(kept, Infinity), 2 ** -64, nearest))",
    replace: "where(equal(kept, Infinity), 2 ** -64, nearest)",
  },
  {
    name: "norm: a subnormal length as divisor",
    kind: "range",
    find: "isSmall.mul(2 ** 64).maximum(1)",
    replace: "less(kept, Infinity)",
  },
  {
    name: "norm: squares that overflow and vanish",
    kind: "range",
    find: "largest.maximum(least)",
    replace: "largest.mul(0).add(1)",
  },
]);

/** Bugs in sums, extremes, statistics and running sums. */
export const reductions: readonly Mutant[] = [
  ...reduce,
  ...statistics,
  ...euclidean,
  ...cumulative,
];
