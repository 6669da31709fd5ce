import { inFile, type Mutant } from "../mutant.ts";

const binary = inFile("packages/autodiff/src/ops/arithmetic.ts", [
  {
    name: "mod: the divisor's share with the wrong sign",
    kind: "sign",
    find: "div(b).round().neg())]",
    replace: "div(b).round())]",
  },
  {
    name: "binary: cotangents not summed over broadcast axes",
    kind: "missing reduction",
    find: "return sumTo(partial(g, a!, b!, output), shape);",
    replace: "return partial(g, a!, b!, output);",
  },
  {
    name: "binary: b's cotangent summed to a's shape",
    kind: "swapped operands",
    find: "const shape = (input === 0 ? a! : b!).shape;",
    replace: "const shape = a!.shape;",
  },
  {
    name: "binary: the second tangent replaces the first",
    kind: "forgotten term",
    find: "result = result === undefined ? part : result.add(part);",
    replace: "result = part;",
  },
  {
    name: "binary: a tangent keeps the operand's shape",
    kind: "missing reduction",
    find: "return sameShape(result!.shape, output.shape) ? result! : broadcastTo(result!, output.shape);",
    replace: "return result!;",
  },
  {
    name: "sub: the sign of b lost",
    kind: "sign",
    find: "partials: [(d) => d, (d) => d.neg()]",
    replace: "partials: [(d) => d, (d) => d]",
  },
  {
    name: "mul: each operand gets itself",
    kind: "swapped operands",
    find: "partials: [(d, _a, b) => d.mul(b), (d, a) => d.mul(a)]",
    replace: "partials: [(d, a) => d.mul(a), (d, _a, b) => d.mul(b)]",
  },
  {
    name: "mul: b not declared as kept",
    kind: "guard lost",
    find: '(d, a) => d.mul(a)],\n  residuals: "ab",',
    replace: '(d, a) => d.mul(a)],\n  residuals: "a",',
  },
  {
    name: "div: by a, times b",
    kind: "wrong function",
    find: "partials: [(d, _a, b) => d.div(b),",
    replace: "partials: [(d, _a, b) => d.mul(b),",
  },
  {
    name: "div: by b, the sign lost",
    kind: "sign",
    find: "d.mul(y).div(b).neg()",
    replace: "d.mul(y).div(b)",
  },
  {
    name: "div: by b, one division lost",
    kind: "factor",
    find: "d.mul(y).div(b).neg()",
    replace: "d.mul(y).neg()",
  },
  {
    name: "pow: the exponent not lowered",
    kind: "off by one",
    find: "a).pow(b.sub(1))",
    replace: "a).pow(b)",
  },
  {
    name: "pow: the logarithm of the exponent",
    kind: "swapped operands",
    find: "where(isLost, 1, a).log()",
    replace: "where(isLost, 1, b).log()",
  },
  {
    name: "pow: NaN by a where a and b are 0",
    kind: "wrong function",
    find: "where(isLost, 1, a).pow(b.sub(1))",
    replace: "a.pow(b.sub(1))",
  },
  {
    name: "pow: NaN by b where a is 0",
    kind: "wrong function",
    find: "where(isLost, 1, a).log()",
    replace: "a.log()",
  },
  {
    name: "pow: every base masked where the exponent is 0",
    kind: "range",
    find: "greater(equal(b, 0), greaterEqual(a.abs(), least[a.dtype as FloatDType]))",
    replace: "equal(b, 0)",
  },
  {
    name: "pow: NaN by the base twice where the exponent is watched",
    kind: "range",
    find: "return d.mul(y).mul(where(isLost, 1, a).log());",
    replace: "return where(isLost, 0, d.mul(y).mul(a.log()));",
  },
  {
    name: "maximum: nobody wins a tie",
    kind: "ties",
    find: "return wins.add(equal(a, b).mul(0.5));",
    replace: "return wins;",
  },
  {
    name: "maximum: both win a tie",
    kind: "ties",
    find: "return wins.add(equal(a, b).mul(0.5));",
    replace: "return wins.add(equal(a, b));",
  },
  {
    name: "minimum: the rules of maximum",
    kind: "swapped operands",
    find: `(d, a, b) => d.mul(share(less(a, b), a, b)),
      (d, a, b) => d.mul(share(greater(a, b), a, b)),`,
    replace: `(d, a, b) => d.mul(share(greater(a, b), a, b)),
      (d, a, b) => d.mul(share(less(a, b), a, b)),`,
  },
  {
    name: "atan2: the sign of b lost",
    kind: "sign",
    find: "overSquare(d, a, b).neg()",
    replace: "overSquare(d, a, b)",
  },
  {
    name: "atan2: squares that overflow and vanish",
    kind: "range",
    find: "return d.mul(a.mul(power).div(length)).mul(power).div(length);",
    replace: "return d.mul(a).div(a.square().add(b.square()));",
  },
  {
    name: "hypot: NaN at 0",
    kind: "wrong function",
    find: "where(isZero, 1, a.mul(power).hypot(b.mul(power)))",
    replace: "a.mul(power).hypot(b.mul(power))",
  },
  {
    name: "hypot: not divided by y",
    kind: "factor",
    find: "return d.mul(a.mul(power).div(length));",
    replace: "return d.mul(a.mul(power));",
  },
  {
    name: "hypot: a length that overflows, or is subnormal",
    kind: "range",
    find: "where(isZero, 0, raised.maximum(less(size, 1)).maximum(2 ** -2))",
    replace: "where(isZero, 0, less(size, Infinity))",
  },
]);

const select = inFile("packages/autodiff/src/ops/select.ts", [
  {
    name: "where: a gets the gradient of b's places too",
    kind: "mask ignored",
    find: "sumTo(where(condition!, g, 0), a!.shape)",
    replace: "sumTo(g, a!.shape)",
  },
  {
    name: "where: b gets the gradient of a's places",
    kind: "swapped operands",
    find: "where(condition!, 0, g)",
    replace: "where(condition!, g, 0)",
  },
  {
    name: "where: a's cotangent not summed to its shape",
    kind: "missing reduction",
    find: "sumTo(where(condition!, g, 0), a!.shape)",
    replace: "where(condition!, g, 0)",
  },
  {
    name: "where: tangents swapped",
    kind: "swapped operands",
    find: "where(condition!, da ?? 0, db ?? 0)",
    replace: "where(condition!, db ?? 0, da ?? 0)",
  },
  {
    name: "where: the condition not declared as kept",
    kind: "guard lost",
    find: "residuals: { inputs: [0], output: false }",
    replace: "residuals: { inputs: [], output: false }",
  },
]);

/** Bugs in the rules of functions of several operands. */
export const arithmetic: readonly Mutant[] = [...binary, ...select];
