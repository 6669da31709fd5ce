import type { Tensor } from "../tensor/tensor.ts";
import { bell } from "./bell.ts";
import { notedFactor, noteFactor } from "./lengths.ts";
import { piecewiseConstant, type UnaryOp, unary } from "./unary.ts";
/** `-x`. */
export const neg: UnaryOp = unary({
  name: "neg",
  derivative: (d) => d.neg(),
  residuals: "",
  ofInt32: (x) => x.mul(-1),
});

/** `|x|`; the derivative at 0 is taken as 0. */
export const abs: UnaryOp = unary({
  name: "abs",
  derivative(d, x, y) {
    const ofSquare = notedFactor(y, d);
    if (ofSquare !== undefined) return ofSquare.mul(x).mul(2);
    return noteFactor(y, d.mul(x.sign()), () => d.mul(x));
  },
  residuals: "x",
  kinks: [0],
  ofInt32: (x) => x.maximum(x.mul(-1)),
});

/** -1, 0 or 1; NaN stays NaN. Nothing flows back. */
export const sign: UnaryOp = unary({
  name: "sign",
  derivative: piecewiseConstant,
  residuals: "",
  kinks: [0],
});

/** `e^x`. */
export const exp: UnaryOp = unary({
  name: "exp",
  derivative: (d, _x, y) => d.mul(y),
  residuals: "y",
});

/**
 * `e^x - 1`, accurate near 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor(1e-10, { dtype: "float64" });
 * x.expm1().item(); // => 1.00000000005e-10
 * x.exp().sub(1).item(); // => 1.000000082740371e-10
 * ```
 */
export const expm1: UnaryOp = unary({
  name: "expm1",
  derivative: (d, x) => d.mul(x.exp()),
  residuals: "x",
});

/** Natural logarithm; NaN below 0. */
export const log: UnaryOp = unary({
  name: "log",
  derivative: (d, x) => d.div(x),
  residuals: "x",
  domain: [0.2, 3],
});

/** Logarithm to base 2, exact at powers of 2; NaN below 0. */
export const log2: UnaryOp = unary({
  name: "log2",
  derivative: (d, x) => d.mul(Math.LOG2E).div(x),
  residuals: "x",
  domain: [0.2, 3],
});

/**
 * Logarithm to base 10; NaN below 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * [tensor(1000).log10().item(), tensor(8).log2().item()]; // => [3, 3]
 * ```
 */
export const log10: UnaryOp = unary({
  name: "log10",
  derivative: (d, x) => d.mul(Math.LOG10E).div(x),
  residuals: "x",
  domain: [0.2, 3],
});

/**
 * `log(1 + x)`, accurate near 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor(1e-20, { dtype: "float64" });
 * [x.log1p().item(), x.add(1).log().item()]; // => [1e-20, 0]
 * ```
 */
export const log1p: UnaryOp = unary({
  name: "log1p",
  derivative: (d, x) => d.div(x.add(1)),
  residuals: "x",
  domain: [-0.8, 3],
});

/** Square root; NaN below 0. */
export const sqrt: UnaryOp = unary({
  name: "sqrt",
  derivative: (d, _x, y) => d.mul(0.5).div(y),
  residuals: "y",
  domain: [0.2, 3],
});

/** `1 / sqrt(x)`. */
export const rsqrt: UnaryOp = unary({
  name: "rsqrt",
  derivative: (d, _x, y) => d.mul(y).mul(-0.5).mul(y.square()),
  residuals: "y",
  domain: [0.2, 3],
});

/** `x^2`. */
export const square: UnaryOp = unary({
  name: "square",
  derivative: (d, x) => notedFactor(x, d)?.mul(2) ?? noteFactor(x, d.mul(x).mul(2), () => d),
  residuals: "x",
});

/** `1 / x`. */
export const reciprocal: UnaryOp = unary({
  name: "reciprocal",
  derivative: (d, _x, y) => d.mul(y.square()).neg(),
  residuals: "y",
  domain: [0.3, 3],
});

/** Sine of radians. */
export const sin: UnaryOp = unary({
  name: "sin",
  derivative: (d, x) => d.mul(x.cos()),
  residuals: "x",
});

/** Cosine of radians. */
export const cos: UnaryOp = unary({
  name: "cos",
  derivative: (d, x) => d.mul(x.sin()).neg(),
  residuals: "x",
});

/** Tangent of radians. */
export const tan: UnaryOp = unary({
  name: "tan",
  derivative: (d, _x, y) => d.mul(y.square().add(1)),
  residuals: "y",
  domain: [-1.2, 1.2],
});

/**
 * `1 - x^2`: its value by factors, which do not cancel near 1; its derivative, `-2x`, by the
 * square.
 */
function gap(x: Tensor): Tensor {
  const plain = x.detach();
  const square = x.square().neg().add(1);
  return square.add(plain.neg().add(1).mul(plain.add(1)).sub(square.detach()));
}

/** Inverse sine in radians; NaN outside [-1, 1]. */
export const asin: UnaryOp = unary({
  name: "asin",
  derivative: (d, x) => d.mul(gap(x).rsqrt()),
  residuals: "x",
  domain: [-0.9, 0.9],
});

/** Inverse cosine in radians; NaN outside [-1, 1]. */
export const acos: UnaryOp = unary({
  name: "acos",
  derivative: (d, x) => d.mul(gap(x).rsqrt()).neg(),
  residuals: "x",
  domain: [-0.9, 0.9],
});

/** Inverse tangent in radians. */
export const atan: UnaryOp = unary({
  name: "atan",
  // Divided twice by sqrt(1 + x^2), whose square may overflow.
  derivative(d, x) {
    const length = x.hypot(1);
    return d.div(length).div(length);
  },
  residuals: "x",
});

/** Hyperbolic sine. */
export const sinh: UnaryOp = unary({
  name: "sinh",
  derivative: (d, x) => d.mul(x.cosh()),
  residuals: "x",
});

/** Hyperbolic cosine. */
export const cosh: UnaryOp = unary({
  name: "cosh",
  derivative: (d, x) => d.mul(x.sinh()),
  residuals: "x",
});

/** Inverse hyperbolic sine. */
export const asinh: UnaryOp = unary({
  name: "asinh",
  derivative: (d, x) => d.div(x.hypot(1)),
  residuals: "x",
});

/** Inverse hyperbolic cosine; NaN below 1. */
export const acosh: UnaryOp = unary({
  name: "acosh",
  derivative: (d, x) => d.mul(x.sub(1).rsqrt()).mul(x.add(1).rsqrt()),
  residuals: "x",
  domain: [1.2, 4],
});

/** Inverse hyperbolic tangent; NaN outside [-1, 1]. */
export const atanh: UnaryOp = unary({
  name: "atanh",
  derivative: (d, x) => d.div(gap(x)),
  residuals: "x",
  domain: [-0.9, 0.9],
});

/** Hyperbolic tangent. */
export const tanh: UnaryOp = unary({
  name: "tanh",
  derivative: (d, _x, y) => d.mul(y.square().neg().add(1)),
  residuals: "y",
});

/** The error function. */
export const erf: UnaryOp = unary({
  name: "erf",
  derivative: (d, x) => d.mul(bell(x, -1)).mul(2 / Math.sqrt(Math.PI)),
  residuals: "x",
});

/** The largest whole number not above `x`. Nothing flows back. */
export const floor: UnaryOp = unary({
  name: "floor",
  derivative: piecewiseConstant,
  residuals: "",
});

/** The smallest whole number not below `x`. Nothing flows back. */
export const ceil: UnaryOp = unary({ name: "ceil", derivative: piecewiseConstant, residuals: "" });

/**
 * The nearest whole number, halves to even. Nothing flows back.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([0.5, 1.5, 2.5, -0.6]).round().toArray(); // => [0, 2, 2, -1]
 * ```
 */
export const round: UnaryOp = unary({
  name: "round",
  derivative: piecewiseConstant,
  residuals: "",
});
