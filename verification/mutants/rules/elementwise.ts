import { inFile, type Mutant } from "../mutant.ts";

const unary = inFile("packages/autodiff/src/ops/elementwise.ts", [
  {
    name: "neg: the sign lost",
    kind: "sign",
    find: "derivative: (d) => d.neg(),",
    replace: "derivative: (d) => d,",
  },
  {
    name: "abs: the sign of x lost",
    kind: "sign",
    find: "noteFactor(y, d.mul(x.sign()), () => d.mul(x))",
    replace: "d",
  },
  {
    name: "exp: x saved for y",
    kind: "wrong saved value",
    find: 'derivative: (d, _x, y) => d.mul(y),\n  residuals: "y",\n}',
    replace: 'derivative: (d, x) => d.mul(x),\n  residuals: "x",\n}',
  },
  {
    name: "expm1: as if y were exp",
    kind: "forgotten term",
    find: 'derivative: (d, x) => d.mul(x.exp()),\n  residuals: "x",',
    replace: 'derivative: (d, _x, y) => d.mul(y),\n  residuals: "y",',
  },
  {
    name: "expm1: from the output, which is -1 where the derivative is not yet 0",
    kind: "range",
    find: 'derivative: (d, x) => d.mul(x.exp()),\n  residuals: "x",',
    replace: 'derivative: (d, _x, y) => d.mul(y.add(1)),\n  residuals: "y",',
  },
  {
    name: "log: times x",
    kind: "wrong function",
    find: "derivative: (d, x) => d.div(x),",
    replace: "derivative: (d, x) => d.mul(x),",
  },
  {
    name: "log: x not declared as kept",
    kind: "guard lost",
    find: 'derivative: (d, x) => d.div(x),\n  residuals: "x",',
    replace: 'derivative: (d, x) => d.div(x),\n  residuals: "",',
  },
  {
    name: "log1p: as log",
    kind: "forgotten term",
    find: "d.div(x.add(1))",
    replace: "d.div(x)",
  },
  {
    name: "sqrt: the half lost",
    kind: "factor",
    find: "d.mul(0.5).div(y)",
    replace: "d.div(y)",
  },
  { name: "rsqrt: the sign lost", kind: "sign", find: ".mul(-0.5)", replace: ".mul(0.5)" },
  {
    name: "rsqrt: y squared for y cubed",
    kind: "factor",
    find: "d.mul(y).mul(-0.5).mul(y.square())",
    replace: "d.mul(-0.5).mul(y.square())",
  },
  {
    name: "square: the 2 lost",
    kind: "factor",
    find: "d.mul(x).mul(2), () => d",
    replace: "d.mul(x), () => d",
  },
  {
    name: "reciprocal: the sign lost",
    kind: "sign",
    find: "d.mul(y.square()).neg()",
    replace: "d.mul(y.square())",
  },
  {
    name: "cos: the sign lost",
    kind: "sign",
    find: "d.mul(x.sin()).neg()",
    replace: "d.mul(x.sin())",
  },
  {
    name: "cosh: the sign of cos",
    kind: "sign",
    find: "d.mul(x.sinh())",
    replace: "d.mul(x.sinh()).neg()",
  },
  {
    name: "acos: as asin",
    kind: "sign",
    find: "d.mul(gap(x).rsqrt()).neg()",
    replace: "d.mul(gap(x).rsqrt())",
  },
  {
    name: "acosh: as asinh",
    kind: "wrong function",
    find: "d.mul(x.sub(1).rsqrt()).mul(x.add(1).rsqrt())",
    replace: "d.div(x.hypot(1))",
  },
  {
    name: "acosh: a product that overflows under the root",
    kind: "range",
    find: "d.mul(x.sub(1).rsqrt()).mul(x.add(1).rsqrt())",
    replace: "d.mul(x.sub(1).mul(x.add(1)).rsqrt())",
  },
  {
    name: "asinh: a square that overflows under the root",
    kind: "range",
    find: "d.div(x.hypot(1))",
    replace: "d.mul(x.square().add(1).rsqrt())",
  },
  {
    name: "atan: a square that overflows",
    kind: "range",
    find: "return d.div(length).div(length);",
    replace: "return d.div(length.square());",
  },
  {
    name: "gap: cancels near 1",
    kind: "range",
    find: "return square.add(plain.neg().add(1).mul(plain.add(1)).sub(square.detach()));",
    replace: "return square;",
  },
  {
    name: "gap: by factors alone, whose second derivative cancels near 0",
    kind: "range",
    find: "return square.add(plain.neg().add(1).mul(plain.add(1)).sub(square.detach()));",
    replace: "return x.neg().add(1).mul(x.add(1));",
  },
  {
    name: "atanh: as atan",
    kind: "sign",
    find: "d.div(gap(x))",
    replace: "d.div(x.square().add(1))",
  },
  {
    name: "tanh: x saved for y",
    kind: "wrong saved value",
    find: 'derivative: (d, _x, y) => d.mul(y.square().neg().add(1)),\n  residuals: "y"',
    replace: 'derivative: (d, x) => d.mul(x.square().neg().add(1)),\n  residuals: "x"',
  },
  {
    name: "tanh: x declared as kept for y",
    kind: "guard lost",
    find: 'derivative: (d, _x, y) => d.mul(y.square().neg().add(1)),\n  residuals: "y"',
    replace: 'derivative: (d, _x, y) => d.mul(y.square().neg().add(1)),\n  residuals: "x"',
  },
  {
    name: "erf: 1 for 2",
    kind: "factor",
    find: "2 / Math.sqrt(Math.PI)",
    replace: "1 / Math.sqrt(Math.PI)",
  },
]);

const affine = inFile("packages/autodiff/src/ops/affine.ts", [
  {
    name: "scale: the factor lost",
    kind: "factor",
    find: "derivative: (d, _x, _y, alpha) => scale(d, alpha)",
    replace: "derivative: (d) => d",
  },
]);

const shared = inFile("packages/autodiff/src/ops/unary.ts", [
  {
    name: "unary: the tangent passed on as it is",
    kind: "forgotten term",
    find: ": ([dx], { inputs, output }) => derivative(dx!, inputs[0]!, output),",
    replace: ": ([dx]) => dx!,",
  },
  {
    name: "unary: outputs never declared as kept",
    kind: "guard lost",
    find: 'output: residuals.includes("y") },\n    vjp: isNone(derivative)',
    replace: "output: false },\n    vjp: isNone(derivative)",
  },
]);

const activations = inFile("packages/autodiff/src/ops/activations.ts", [
  {
    name: "sigmoid: one factor lost",
    kind: "factor",
    find: "d.mul(y.sub(y.square()))",
    replace: "d.mul(y.neg().add(1))",
  },
  {
    name: "softplus: as logSigmoid",
    kind: "sign",
    find: "derivative: (d, x) => d.mul(x.sigmoid())",
    replace: "derivative: (d, x) => d.mul(x.neg().sigmoid())",
  },
  {
    name: "logSigmoid: as softplus",
    kind: "sign",
    find: "d.mul(x.neg().sigmoid())",
    replace: "d.mul(x.sigmoid())",
  },
  {
    name: "relu: the mask ignored",
    kind: "mask ignored",
    find: "derivative: (d, x) => d.mul(greater(x, 0))",
    replace: "derivative: (d) => d",
  },
  {
    name: "gelu: the density's term forgotten",
    kind: "forgotten term",
    find: "d.mul(cumulative.add(x.mul(density)))",
    replace: "d.mul(cumulative)",
  },
  {
    name: "gelu: 1 + erf in the left tail",
    kind: "wrong function",
    find: "less(x, -1), y.div",
    replace: "less(x, -50), y.div",
  },
  {
    name: "gelu: the density without its 2",
    kind: "factor",
    find: ".mul(1 / Math.sqrt(2 * Math.PI))",
    replace: ".mul(1 / Math.sqrt(Math.PI))",
  },
  {
    name: "silu: s for s (1 - s)",
    kind: "factor",
    find: "s.add(y.sub(y.mul(s)))",
    replace: "s.add(y)",
  },
  {
    name: "silu: s lost beside a large y",
    kind: "range",
    find: "s.add(y.sub(y.mul(s)))",
    replace: "s.add(y).sub(y.mul(s))",
  },
  {
    name: "leakyRelu: branches swapped",
    kind: "swapped operands",
    find: "where(less(x, 0), scale(d, alpha), d)",
    replace: "where(less(x, 0), d, scale(d, alpha))",
  },
  {
    name: "elu: 1 for alpha",
    kind: "factor",
    find: "d.mul(x.minimum(0).exp().mul(alpha))",
    replace: "d.mul(x.minimum(0).exp())",
  },
  {
    name: "elu: an exponential that overflows where it is not asked for",
    kind: "range",
    find: "x.minimum(0).exp()",
    replace: "x.exp()",
  },
]);

const bell = inFile("packages/autodiff/src/ops/bell.ts", [
  {
    name: "bell: x before the factor that vanishes",
    kind: "range",
    find: "d.mul(y).mul(x).mul(2).mul(alpha)",
    replace: "d.mul(x).mul(2).mul(alpha).mul(y)",
  },
]);

const lengths = inFile("packages/autodiff/src/ops/lengths.ts", [
  {
    name: "lengths: no square of a length is noticed",
    kind: "lost gradient",
    find: "if (g.tape !== null) passed.set",
    replace: "if (g.tape === null) passed.set",
  },
  {
    name: "lengths: every square taken for that of the length",
    kind: "wrong saved value",
    find: "found?.length === y.block ? found.factor() : undefined",
    replace: "found?.factor()",
  },
]);

/** Bugs in the rules of functions of one operand. */
export const elementwise: readonly Mutant[] = [
  ...unary,
  ...affine,
  ...shared,
  ...activations,
  ...bell,
  ...lengths,
];
