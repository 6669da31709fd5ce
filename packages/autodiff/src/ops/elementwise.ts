import type { ScaledName, UnaryName } from "../kernels/contract.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { greater, less } from "./compare.ts";
import {
  type Examples,
  isNone,
  type NoRule,
  none,
  type Op,
  type OpDeclaration,
  type Operand,
  op,
} from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import { where } from "./select.ts";

/** A function of one tensor, element by element. */
export type UnaryOp = Op<(x: Operand) => Tensor>;

/**
 * The derivative of an element-wise function as a product: `d * f'(x)`, given `x` and `y = f(x)`. The Jacobian is
 * diagonal, so the same line serves cotangents and tangents.
 */
type DerivativeRule = (d: Tensor, x: Tensor, y: Tensor) => Tensor;

interface UnaryDeclaration extends Partial<Pick<Examples, "kinks">> {
  readonly name: UnaryName;
  readonly derivative: DerivativeRule | NoRule;
  /** Which of `x` and `y` the derivative reads. */
  readonly keeps: "x" | "y" | "xy" | "";
  /** Where test inputs lie. */
  readonly domain?: readonly [number, number];
}

function unary({
  name,
  derivative,
  keeps,
  domain = [-2, 2],
  kinks = [],
}: UnaryDeclaration): UnaryOp {
  const declaration: OpDeclaration = {
    name,
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    forward(backend, [x], y) {
      kernelsOf(backend, y)[name](y.size, x!.pointer, y.pointer);
    },
    keeps: { inputs: keeps.includes("x") ? [0] : [], output: keeps.includes("y") },
    vjp: isNone(derivative)
      ? derivative
      : [(g, { inputs, output }) => derivative(g, inputs[0]!, output)],
    jvp: isNone(derivative)
      ? derivative
      : ([dx], { inputs, output }) => derivative(dx!, inputs[0]!, output),
    samples: [[3], [2, 3], [], [0]].map((shape) => ({
      label: `[${shape.join(",")}]`,
      inputs: [{ shape, domain }],
      call: ([x]) => apply(declaration, [x!], undefined),
    })),
    kinks,
  };
  return op(declaration, (x: Operand) => apply(declaration, [x], undefined));
}

const piecewiseConstant = none("piecewise constant: nothing flows through");

/** `-x`. */
export const neg: UnaryOp = unary({ name: "neg", derivative: (d) => d.neg(), keeps: "" });
/** `|x|`; the derivative at 0 is taken as 0. */
export const abs: UnaryOp = unary({
  name: "abs",
  derivative: (d, x) => d.mul(x.sign()),
  keeps: "x",
  kinks: [0],
});
/** -1, 0 or 1; NaN stays NaN. Nothing flows back. */
export const sign: UnaryOp = unary({
  name: "sign",
  derivative: piecewiseConstant,
  keeps: "",
  kinks: [0],
});
/** `e^x`. */
export const exp: UnaryOp = unary({ name: "exp", derivative: (d, _x, y) => d.mul(y), keeps: "y" });
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
  derivative: (d, _x, y) => d.mul(y.add(1)),
  keeps: "y",
});
/** Natural logarithm; NaN below 0. */
export const log: UnaryOp = unary({
  name: "log",
  derivative: (d, x) => d.div(x),
  keeps: "x",
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
  keeps: "x",
  domain: [-0.8, 3],
});
/** Square root; NaN below 0. */
export const sqrt: UnaryOp = unary({
  name: "sqrt",
  derivative: (d, _x, y) => d.mul(0.5).div(y),
  keeps: "y",
  domain: [0.2, 3],
});
/** `1 / sqrt(x)`. */
export const rsqrt: UnaryOp = unary({
  name: "rsqrt",
  derivative: (d, _x, y) => d.mul(y.square().mul(y)).mul(-0.5),
  keeps: "y",
  domain: [0.2, 3],
});
/** `x^2`. */
export const square: UnaryOp = unary({
  name: "square",
  derivative: (d, x) => d.mul(x).mul(2),
  keeps: "x",
});
/** `1 / x`. */
export const reciprocal: UnaryOp = unary({
  name: "reciprocal",
  derivative: (d, _x, y) => d.mul(y.square()).neg(),
  keeps: "y",
  domain: [0.3, 3],
});
/** Sine of radians. */
export const sin: UnaryOp = unary({
  name: "sin",
  derivative: (d, x) => d.mul(x.cos()),
  keeps: "x",
});
/** Cosine of radians. */
export const cos: UnaryOp = unary({
  name: "cos",
  derivative: (d, x) => d.mul(x.sin()).neg(),
  keeps: "x",
});
/** Tangent of radians. */
export const tan: UnaryOp = unary({
  name: "tan",
  derivative: (d, _x, y) => d.mul(y.square().add(1)),
  keeps: "y",
  domain: [-1.2, 1.2],
});
/** Inverse sine in radians; NaN outside [-1, 1]. */
export const asin: UnaryOp = unary({
  name: "asin",
  derivative: (d, x) => d.mul(x.square().neg().add(1).rsqrt()),
  keeps: "x",
  domain: [-0.9, 0.9],
});
/** Inverse cosine in radians; NaN outside [-1, 1]. */
export const acos: UnaryOp = unary({
  name: "acos",
  derivative: (d, x) => d.mul(x.square().neg().add(1).rsqrt()).neg(),
  keeps: "x",
  domain: [-0.9, 0.9],
});
/** Inverse tangent in radians. */
export const atan: UnaryOp = unary({
  name: "atan",
  derivative: (d, x) => d.div(x.square().add(1)),
  keeps: "x",
});
/** Hyperbolic sine. */
export const sinh: UnaryOp = unary({
  name: "sinh",
  derivative: (d, x) => d.mul(x.cosh()),
  keeps: "x",
});
/** Hyperbolic cosine. */
export const cosh: UnaryOp = unary({
  name: "cosh",
  derivative: (d, x) => d.mul(x.sinh()),
  keeps: "x",
});
/** Inverse hyperbolic sine. */
export const asinh: UnaryOp = unary({
  name: "asinh",
  derivative: (d, x) => d.mul(x.square().add(1).rsqrt()),
  keeps: "x",
});
/** Inverse hyperbolic cosine; NaN below 1. */
export const acosh: UnaryOp = unary({
  name: "acosh",
  derivative: (d, x) => d.mul(x.sub(1).mul(x.add(1)).rsqrt()),
  keeps: "x",
  domain: [1.2, 4],
});
/** Inverse hyperbolic tangent; NaN outside [-1, 1]. */
export const atanh: UnaryOp = unary({
  name: "atanh",
  derivative: (d, x) => d.div(x.square().neg().add(1)),
  keeps: "x",
  domain: [-0.9, 0.9],
});
/** Hyperbolic tangent. */
export const tanh: UnaryOp = unary({
  name: "tanh",
  derivative: (d, _x, y) => d.mul(y.square().neg().add(1)),
  keeps: "y",
});
/** `1 / (1 + e^-x)`. */
export const sigmoid: UnaryOp = unary({
  name: "sigmoid",
  derivative: (d, _x, y) => d.mul(y.sub(y.square())),
  keeps: "y",
});
/**
 * `log(1 + e^x)`, without overflow.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([-1000, 1000]).softplus().toArray(); // => [0, 1000]
 * ```
 */
export const softplus: UnaryOp = unary({
  name: "softplus",
  derivative: (d, x) => d.mul(x.sigmoid()),
  keeps: "x",
});
/**
 * `log(sigmoid(x))`, without underflow.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([-1000]);
 * [x.logSigmoid().item(), x.sigmoid().log().item()]; // => [-1000, -Infinity]
 * ```
 */
export const logSigmoid: UnaryOp = unary({
  name: "logSigmoid",
  derivative: (d, x) => d.mul(x.neg().sigmoid()),
  keeps: "x",
});
/**
 * `max(x, 0)`; the derivative at 0 is taken as 0.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * grad((x) => x.relu().sum())(tensor([-1, 0, 2])).toArray(); // => [0, 0, 1]
 * ```
 */
export const relu: UnaryOp = unary({
  name: "relu",
  derivative: (d, x) => d.mul(greater(x, 0)),
  keeps: "x",
  kinks: [0],
});
/** `x Phi(x)` with the exact normal distribution function (Hendrycks & Gimpel 2016). */
export const gelu: UnaryOp = unary({
  name: "gelu",
  derivative(d, x) {
    const cumulative = x.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
    const density = x
      .square()
      .mul(-0.5)
      .exp()
      .mul(1 / Math.sqrt(2 * Math.PI));
    return d.mul(cumulative.add(x.mul(density)));
  },
  keeps: "x",
});
/** `x sigmoid(x)` (Elfwing, Uchibe & Doya 2018). */
export const silu: UnaryOp = unary({
  name: "silu",
  derivative(d, x) {
    const s = x.sigmoid();
    return d.mul(s.add(x.mul(s.sub(s.square()))));
  },
  keeps: "x",
});
/** The error function. */
export const erf: UnaryOp = unary({
  name: "erf",
  derivative: (d, x) => d.mul(x.square().neg().exp()).mul(2 / Math.sqrt(Math.PI)),
  keeps: "x",
});
/** The largest whole number not above `x`. Nothing flows back. */
export const floor: UnaryOp = unary({ name: "floor", derivative: piecewiseConstant, keeps: "" });
/** The smallest whole number not below `x`. Nothing flows back. */
export const ceil: UnaryOp = unary({ name: "ceil", derivative: piecewiseConstant, keeps: "" });
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
export const round: UnaryOp = unary({ name: "round", derivative: piecewiseConstant, keeps: "" });

/** A function of one tensor and a number. */
export type ScaledOp = Op<(x: Operand, alpha: number) => Tensor>;

interface ScaledDeclaration extends Partial<Pick<Examples, "kinks">> {
  readonly name: ScaledName;
  readonly derivative: (d: Tensor, x: Tensor, y: Tensor, alpha: number) => Tensor;
  readonly keeps: "x" | "xy" | "";
}

function scaled({ name, derivative, keeps, kinks = [] }: ScaledDeclaration): OpDeclaration<number> {
  const declaration: OpDeclaration<number> = {
    name,
    inputs: ["x"],
    shape: ([x], alpha) => {
      if (typeof alpha === "number") return x!.shape;
      throw new TypeError(`${name}: expected a number beside x, got ${String(alpha)}`);
    },
    forward(backend, [x], y, alpha) {
      kernelsOf(backend, y)[name](y.size, x!.pointer, y.pointer, alpha);
    },
    keeps: { inputs: keeps.includes("x") ? [0] : [], output: keeps.includes("y") },
    vjp: [(g, { inputs, output, attributes }) => derivative(g, inputs[0]!, output, attributes)],
    jvp: ([dx], { inputs, output, attributes }) => derivative(dx!, inputs[0]!, output, attributes),
    samples: [[3], [2, 3], [0]].map((shape) => ({
      label: `[${shape.join(",")}]`,
      inputs: [{ shape }],
      call: ([x]) => apply(declaration, [x!], 0.3),
    })),
    kinks,
  };
  return declaration;
}

const scaleDeclaration = scaled({
  name: "scale",
  derivative: (d, _x, _y, alpha) => scale(d, alpha),
  keeps: "",
});
/** `alpha x`. */
export const scale: ScaledOp = op(scaleDeclaration, (x: Operand, alpha: number) =>
  apply(scaleDeclaration, [x], alpha),
);

const offsetDeclaration = scaled({ name: "offset", derivative: (d) => d, keeps: "" });
/** `x + alpha`. */
export const offset: ScaledOp = op(offsetDeclaration, (x: Operand, alpha: number) =>
  apply(offsetDeclaration, [x], alpha),
);

const leakyReluDeclaration = scaled({
  name: "leakyRelu",
  derivative: (d, x, _y, alpha) => where(less(x, 0), scale(d, alpha), d),
  keeps: "x",
  kinks: [0],
});
/**
 * `x` above 0 and `alpha x` below; `alpha` is 0.01 unless given.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([-2, 3]).leakyRelu(0.5).toArray(); // => [-1, 3]
 * ```
 */
export const leakyRelu: Op<(x: Operand, alpha?: number) => Tensor> = op(
  leakyReluDeclaration,
  (x: Operand, alpha = 0.01) => apply(leakyReluDeclaration, [x], alpha),
);

const eluDeclaration = scaled({
  name: "elu",
  derivative: (d, x, y, alpha) => where(less(x, 0), d.mul(y.add(alpha)), d),
  keeps: "xy",
  kinks: [0],
});
/** `x` above 0 and `alpha (e^x - 1)` below; `alpha` is 1 unless given (Clevert, Unterthiner & Hochreiter 2016). */
export const elu: Op<(x: Operand, alpha?: number) => Tensor> = op(
  eluDeclaration,
  (x: Operand, alpha = 1) => apply(eluDeclaration, [x], alpha),
);
