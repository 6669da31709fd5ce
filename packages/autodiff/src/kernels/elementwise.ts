import { type Kernel, same } from "./signature.ts";

/** `y[i] = f(x[i])` for `i < n`. */
export const unary = "n x:in y:out";
/** `y[i] = f(x[i], alpha)` for `i < n`. */
export const scaled = "n x:in y:out alpha:real";
/**
 * `y[r, c] = f(a[r*aRow + c*aCol], b[r*bRow + c*bCol])`; `y` is contiguous, a stride of 0
 * broadcasts.
 */
export const binary = "rows cols a:in aRow aCol b:in bRow bCol y:out";

export type UnaryKernel = Kernel<typeof unary>;
export type ScaledKernel = Kernel<typeof scaled>;
export type BinaryKernel = Kernel<typeof binary>;

/**
 * Element-wise functions of one value. `round` rounds halves to even; `sign` keeps NaN and signed
 * zeros.
 */
// biome-ignore format: as many as fit in a line
export const unaryNames = [
  "neg", "abs", "sign", "exp", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "square",
  "reciprocal", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh",
  "atanh", "tanh", "sigmoid", "softplus", "logSigmoid", "relu", "gelu", "silu", "erf", "floor",
  "ceil", "round",
] as const;
export type UnaryName = (typeof unaryNames)[number];

/**
 * Element-wise functions of one value and a number: `alpha*x`, `x + alpha`, slopes of leakyRelu and
 * elu.
 */
export const scaledNames = ["scale", "offset", "leakyRelu", "elu"] as const;
export type ScaledName = (typeof scaledNames)[number];

/** Whether an element-wise function takes a number besides its operand. */
export function takesNumber(name: string): boolean {
  return (scaledNames as readonly string[]).includes(name);
}

/**
 * Element-wise functions of two values. `maximum` and `minimum` propagate NaN. `mod` has the sign
 * of the divisor. Comparisons give 1 or 0 in the operands' dtype, 0 wherever NaN is involved (1 for
 * `notEqual`).
 */
// biome-ignore format: as many as fit in a line
export const binaryNames = [
  "add", "sub", "mul", "div", "pow", "maximum", "minimum", "mod", "atan2", "hypot", "less",
  "lessEqual", "greater", "greaterEqual", "equal", "notEqual",
] as const;
export type BinaryName = (typeof binaryNames)[number];

/**
 * `y[r,c] = condition[r,c] != 0 ? a[r,c] : b[r,c]`, strides as in `binary`; the condition has the
 * operands' dtype.
 */
export const select =
  "rows cols condition:in conditionRow conditionCol a:in aRow aCol b:in bRow bCol y:out";

export const elementwiseSignatures: Readonly<
  Record<UnaryName, typeof unary> &
    Record<ScaledName, typeof scaled> &
    Record<BinaryName, typeof binary> &
    Record<"select", typeof select>
> = {
  ...same(unaryNames, unary),
  ...same(scaledNames, scaled),
  ...same(binaryNames, binary),
  select,
};
