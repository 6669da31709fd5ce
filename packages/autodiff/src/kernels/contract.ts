/**
 * The kernel contract: every function that touches bytes, for every kernel set.
 *
 * A pointer is a byte address in the backend's memory, aligned to its element. Sizes and strides count
 * elements, never bytes. A kernel trusts its caller: shapes and ranges are checked by the op that calls it.
 * Outputs may alias an input only where the same index is read and written (`y === x` in unary and binary
 * kernels over contiguous operands).
 */

import type { GateKernels } from "./gates.ts";
import type { NormalizationKernels } from "./normalization.ts";
import type { UpdateKernels } from "./update.ts";

/** `y[i] = f(x[i])` for `i < n`. */
export type UnaryKernel = (n: number, x: number, y: number) => void;
/** `y[i] = f(x[i], alpha)` for `i < n`. */
export type ScaledKernel = (n: number, x: number, y: number, alpha: number) => void;
/** `y[r, c] = f(a[r*aRow + c*aCol], b[r*bRow + c*bCol])`; `y` is contiguous, a stride of 0 broadcasts. */
export type BinaryKernel = (
  rows: number,
  cols: number,
  a: number,
  aRow: number,
  aCol: number,
  b: number,
  bRow: number,
  bCol: number,
  y: number,
) => void;
/** `y[o, i] = reduce over l of x[o, l, i]`, all contiguous; `length` may be 0 for `sum`. */
export type ReduceKernel = (
  outer: number,
  length: number,
  inner: number,
  x: number,
  y: number,
) => void;
/** `y[r, :] = f(x[r, :])` for contiguous rows. */
export type RowsKernel = (rows: number, cols: number, x: number, y: number) => void;

/** Element-wise functions of one value. `round` rounds halves to even; `sign` keeps NaN and signed zeros. */
export const unaryNames = [
  "neg",
  "abs",
  "sign",
  "exp",
  "expm1",
  "log",
  "log2",
  "log10",
  "log1p",
  "sqrt",
  "rsqrt",
  "square",
  "reciprocal",
  "sin",
  "cos",
  "tan",
  "asin",
  "acos",
  "atan",
  "sinh",
  "cosh",
  "asinh",
  "acosh",
  "atanh",
  "tanh",
  "sigmoid",
  "softplus",
  "logSigmoid",
  "relu",
  "gelu",
  "silu",
  "erf",
  "floor",
  "ceil",
  "round",
] as const;
export type UnaryName = (typeof unaryNames)[number];

/** Element-wise functions of one value and a number: `alpha*x`, `x + alpha`, `x^alpha`, slopes of the two relu kin. */
export const scaledNames = ["scale", "offset", "leakyRelu", "elu"] as const;
export type ScaledName = (typeof scaledNames)[number];

/**
 * Element-wise functions of two values. `maximum` and `minimum` propagate NaN. `mod` has the sign of the divisor. Comparisons give 1 or 0 in the
 * operands' dtype, 0 wherever NaN is involved (1 for `notEqual`).
 */
export const binaryNames = [
  "add",
  "sub",
  "mul",
  "div",
  "pow",
  "maximum",
  "minimum",
  "mod",
  "atan2",
  "hypot",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "equal",
  "notEqual",
] as const;
export type BinaryName = (typeof binaryNames)[number];

/**
 * Reductions into the operand's dtype. `sum` of float32 accumulates so that its error stays near one rounding
 * (blocks of float32, added up in float64). `max` and `min` propagate NaN. `logSumExp` is shifted by the maximum.
 */
export const reduceNames = ["sum", "max", "min", "logSumExp"] as const;
export type ReduceName = (typeof reduceNames)[number];

/** Reductions into int32 positions along `length`: the first extreme value, the first NaN where there is one. */
export const argReduceNames = ["argmax", "argmin"] as const;
export type ArgReduceName = (typeof argReduceNames)[number];

/** Along contiguous rows: `softmax` and `logSoftmax`, shifted by the row's maximum. */
export const rowsNames = ["softmax", "logSoftmax"] as const;
export type RowsName = (typeof rowsNames)[number];

/** Functions of two int32 values, which wrap at 2^31; `mod` by 0 is 0. Their places are the codes of the SIMD kernel. */
export const int32BinaryNames = [
  "add",
  "sub",
  "mul",
  "maximum",
  "minimum",
  "mod",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "equal",
  "notEqual",
] as const;
export type Int32BinaryName = (typeof int32BinaryNames)[number];

/** Reductions of int32; `sum` wraps. */
export const int32ReduceNames = ["sum", "max", "min"] as const;
export type Int32ReduceName = (typeof int32ReduceNames)[number];

/** The arithmetic of int32: what positions and labels are computed with. */
export type Int32Kernels = Readonly<
  Record<Int32BinaryName, BinaryKernel> &
    Record<Int32ReduceName, ReduceKernel> &
    Pick<IrregularKernels, "select" | "cumsum" | "scatterAdd" | "fill">
>;

/** The kernels of one floating dtype. */
export type FloatKernels = Readonly<
  Record<UnaryName, UnaryKernel> &
    Record<ScaledName, ScaledKernel> &
    Record<BinaryName, BinaryKernel> &
    Record<ReduceName, ReduceKernel> &
    Record<ArgReduceName, ReduceKernel> &
    Record<RowsName, RowsKernel> &
    IrregularKernels &
    GateKernels &
    NormalizationKernels &
    UpdateKernels
>;

interface IrregularKernels {
  /** `y[r,c] = condition[r,c] != 0 ? a[r,c] : b[r,c]`, strides as in `BinaryKernel`; the condition has the operands' dtype. */
  readonly select: (
    rows: number,
    cols: number,
    condition: number,
    conditionRow: number,
    conditionCol: number,
    a: number,
    aRow: number,
    aCol: number,
    b: number,
    bRow: number,
    bCol: number,
    y: number,
  ) => void;
  /** `y[o, l, i] = sum of x[o, 0..l, i]` (from the far end when `reverse` is 1). */
  readonly cumsum: (
    outer: number,
    length: number,
    inner: number,
    reverse: number,
    x: number,
    y: number,
  ) => void;
  /**
   * Positions that sort each row, from the largest down when `descending` is 1; equal elements keep their order, NaN counts
   * as the largest. `scratch` takes `cols` int32.
   */
  readonly argsort: (
    rows: number,
    cols: number,
    descending: number,
    x: number,
    scratch: number,
    y: number,
  ) => void;
  /**
   * `c[m,n] = A B`, plus `c` when `accumulate` is 1; `k = 0` gives zeros. `A` is `a[m,k]`, or the transpose of
   * `a[k,m]` when `aTransposed` is 1; likewise `B` from `b[k,n]` or `b[n,k]`. `lda`, `ldb`, `ldc` are the row
   * strides of the three as stored. `c` never overlaps an operand. Operands are not copied whole.
   */
  readonly matmul: (
    m: number,
    n: number,
    k: number,
    a: number,
    lda: number,
    aTransposed: number,
    b: number,
    ldb: number,
    bTransposed: number,
    c: number,
    ldc: number,
    accumulate: number,
  ) => void;
  /** `B` of `matmul` in the form that `matmulPacked` reads, `packedLength(n, k)` elements. */
  readonly pack: (
    n: number,
    k: number,
    b: number,
    ldb: number,
    bTransposed: number,
    y: number,
  ) => void;
  /** `matmul` by a packed `B`, with the same bits: for a matrix that many products share. */
  readonly matmulPacked: (
    m: number,
    n: number,
    k: number,
    a: number,
    lda: number,
    aTransposed: number,
    b: number,
    c: number,
    ldc: number,
    accumulate: number,
  ) => void;
  /** `y[indices[i], :] += g[i, :]` for rows of `inner` elements, in the order of `i`; indices are int32 and in range. */
  readonly scatterAdd: (n: number, inner: number, g: number, indices: number, y: number) => void;
  /** `y[i, j] = j == indices[i] ? 1 : 0`; an index outside `0..depth-1` gives a row of zeros. */
  readonly oneHot: (n: number, depth: number, indices: number, y: number) => void;
  /** `losses[r] = logSumExp(logits[r,:]) - logits[r, targets[r]]`, 0 where `targets[r]` is `ignoreIndex`. */
  readonly crossEntropy: (
    rows: number,
    cols: number,
    logits: number,
    targets: number,
    ignoreIndex: number,
    losses: number,
  ) => void;
  /** `dx[r,:] = g[r] * (softmax(logits[r,:]) - onehot(targets[r]))`, 0 where `targets[r]` is `ignoreIndex`. */
  readonly crossEntropyVjp: (
    rows: number,
    cols: number,
    logits: number,
    targets: number,
    ignoreIndex: number,
    g: number,
    dx: number,
  ) => void;
  /** `y[r*yRow + c*yCol] += x[r*xRow + c*xCol]`; no two indices name one element of `y`. */
  readonly addTo: (
    rows: number,
    cols: number,
    x: number,
    xRow: number,
    xCol: number,
    y: number,
    yRow: number,
    yCol: number,
  ) => void;
  /** `y[c] += sum over r of x[r, c]`, `x` contiguous; accurate as `sum` is. */
  readonly addRows: (rows: number, cols: number, x: number, y: number) => void;
  /** `y[i] = value`. */
  readonly fill: (n: number, value: number, y: number) => void;
  /** `sum of x[i]^2` in float64. */
  readonly sumSquares: (n: number, x: number) => number;
  /** The position of the first NaN or infinity, or -1. */
  readonly firstNonFinite: (n: number, x: number) => number;
}

/** Elements of a packed `[k, n]` matrix: columns are filled up to whole panels of 32 bytes. */
export function packedLength(n: number, k: number): number {
  return Math.ceil(n / 8) * 8 * k;
}

/** Moves elements of one size whatever they mean. Strides count elements and may be 0 or negative. */
export interface MoveKernels {
  /** `y[r*yRow + c*yCol] = x[r*xRow + c*xCol]`. */
  readonly copy: (
    rows: number,
    cols: number,
    x: number,
    xRow: number,
    xCol: number,
    y: number,
    yRow: number,
    yCol: number,
  ) => void;
  /** `y[i, :] = x[indices[i], :]` for rows of `inner` elements; indices are int32 and in range. */
  readonly gather: (n: number, inner: number, x: number, indices: number, y: number) => void;
}

/** Conversions; float to int32 truncates towards zero (NaN gives 0, out of range saturates). */
export interface CastKernels {
  readonly float32ToFloat64: UnaryKernel;
  readonly float64ToFloat32: UnaryKernel;
  readonly float32ToInt32: UnaryKernel;
  readonly float64ToInt32: UnaryKernel;
  readonly int32ToFloat32: UnaryKernel;
  readonly int32ToFloat64: UnaryKernel;
}

/** One kernel set over one memory. */
export interface Kernels {
  /** What a report calls it: `reference`, `simd`, `simd-relaxed`. */
  readonly name: string;
  readonly float32: FloatKernels;
  readonly float64: FloatKernels;
  readonly int32: Int32Kernels;
  /** Elements of 4 bytes: float32 and int32. */
  readonly move32: MoveKernels;
  /** Elements of 8 bytes: float64. */
  readonly move64: MoveKernels;
  readonly cast: CastKernels;
  /**
   * An element-wise function on one vector of 128 bits (and a second one, all of the kernel's `alpha`, where it takes
   * that), with the same bits as its kernel, for other WebAssembly code to call. Without it, nothing is fused.
   */
  lanes?(family: string, name: string): ((...args: never[]) => unknown) | undefined;
  /**
   * Whether many products `[m,k] [k,n]` by one matrix gain from packing it; all do unless this says otherwise.
   */
  prefersPacked?(m: number, n: number, k: number): boolean;
  /**
   * The function behind a kernel as other WebAssembly code may call it with `args`, and the arguments that it takes after
   * the contract's. Without it, calls go through the JavaScript functions.
   */
  linkable?(
    family: string,
    name: string,
    args: readonly number[],
  ): { run: (...args: number[]) => unknown; trailing: readonly number[] } | undefined;
  /** The position of the first int32 index outside `low..high-1` that is not `except`, or -1. */
  readonly firstOutOfRange: (
    n: number,
    indices: number,
    low: number,
    high: number,
    except: number,
  ) => number;
}
