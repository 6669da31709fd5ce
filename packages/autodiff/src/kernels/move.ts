import type { unary } from "./elementwise.ts";
import type { Kernel, KernelsOf } from "./signature.ts";

/**
 * Moves elements of one size whatever they mean. Strides count elements and may be 0 or negative.
 */
export const moveSignatures = {
  /** `y[r*yRow + c*yCol] = x[r*xRow + c*xCol]`. */
  copy: "rows cols x:in xRow xCol y:inout yRow yCol",
  /** `y[i, :] = x[indices[i], :]` for rows of `inner` elements; indices are int32 and in range. */
  gather: "n inner x:in indices:in y:out",
} as const;
export type MoveKernels = KernelsOf<typeof moveSignatures>;

/** Conversions; float to int32 truncates towards zero (NaN gives 0, out of range saturates). */
// biome-ignore format: as many as fit in a line
export const castNames = [
  "float32ToFloat64", "float64ToFloat32", "float32ToInt32", "float64ToInt32", "int32ToFloat32",
  "int32ToFloat64",
] as const;
export type CastKernels = Readonly<Record<(typeof castNames)[number], Kernel<typeof unary>>>;

export const indexedSignatures = {
  /**
   * `y[indices[i], :] += g[i, :]` for rows of `inner` elements, in the order of `i`; indices are
   * int32 and in range.
   */
  scatterAdd: "n inner g:in indices:in y:inout",
  /** `y[i, j] = j == indices[i] ? 1 : 0`; an index outside `0..depth-1` gives a row of zeros. */
  oneHot: "n depth indices:in y:out",
  /** `y[r*yRow + c*yCol] += x[r*xRow + c*xCol]`; no two indices name one element of `y`. */
  addTo: "rows cols x:in xRow xCol y:inout yRow yCol",
  /** `y[c] += sum over r of x[r, c]`, `x` contiguous; accurate as `sum` is. */
  addRows: "rows cols x:in y:inout",
  /**
   * `y = hypot(y, |x|)` for a float64 `y`: the Euclidean norm of several vectors, right for all
   * that are numbers.
   */
  norm: "n x:in y:inout",
  /**
   * `y[i] = x[i] limit / norm` where the float64 `norm` is above `limit`, and finite; `y[i] = x[i]`
   * otherwise. No element is lost to a factor that the dtype cannot hold.
   */
  limitNorm: "n x:in norm:in limit:f64 y:out",
} as const;
export type IndexedKernels = KernelsOf<typeof indexedSignatures>;

/** Kernels that return a number. */
export const numberSignatures = {
  /** `sum of x[i]^2` in float64. */
  sumSquares: "n x:in",
  /** The position of the first NaN or infinity, or -1. */
  firstNonFinite: "n x:in",
} as const;
export type NumberKernels = KernelsOf<typeof numberSignatures, number>;

/** The position of the first int32 index outside `low..high-1` that is not `except`, or -1. */
export const firstOutOfRange = "n indices:in low high except";
