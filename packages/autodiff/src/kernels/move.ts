import { type UnaryKernel, unary } from "./elementwise.ts";
import type { Memory } from "./memory.ts";
import { type Kernel, type KernelsOf, same } from "./signature.ts";

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
const castNames = [
  "float32ToFloat64", "float64ToFloat32", "float32ToInt32", "float64ToInt32", "int32ToFloat32",
  "int32ToFloat64",
] as const;
export const castSignatures: Readonly<Record<(typeof castNames)[number], typeof unary>> = same(
  castNames,
  unary,
);
export type CastKernels = KernelsOf<typeof castSignatures>;

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
  /** `y[i] = value`. */
  fill: "n value:real y:out",
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

type Dtype = "float32" | "float64" | "int32";

/** Copies of elements of `dtype`'s size. */
export function referenceMoves(memory: Memory, dtype: "int32" | "float64"): MoveKernels {
  const size = dtype === "int32" ? 4 : 8;
  return {
    copy(rows, cols, x, xRow, xCol, y, yRow, yCol) {
      const view = memory.views[dtype];
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < cols; c++) {
          view[y / size + r * yRow + c * yCol] = view[x / size + r * xRow + c * xCol]!;
        }
      }
    },
    gather(n, inner, x, indices, y) {
      const view = memory.views[dtype];
      for (let i = 0; i < n; i++) {
        const start = x / size + memory.views.int32[indices / 4 + i]! * inner;
        view.copyWithin(y / size + i * inner, start, start + inner);
      }
    },
  };
}

/** Indexed writes and whole-buffer scans. */
export function referenceIndexed(
  memory: Memory,
  dtype: "float32" | "float64",
): IndexedKernels & NumberKernels {
  const size = dtype === "float32" ? 4 : 8;
  const elements = (n: number, x: number) => memory.views[dtype].subarray(x / size, x / size + n);
  return {
    scatterAdd(n, inner, g, indices, y) {
      const view = memory.views[dtype];
      for (let i = 0; i < n; i++) {
        const start = y / size + memory.views.int32[indices / 4 + i]! * inner;
        for (let j = 0; j < inner; j++) view[start + j]! += view[g / size + i * inner + j]!;
      }
    },
    oneHot(n, depth, indices, y) {
      const view = memory.views[dtype];
      for (let i = 0; i < n; i++) {
        const index = memory.views.int32[indices / 4 + i]!;
        for (let j = 0; j < depth; j++) view[y / size + i * depth + j] = j === index ? 1 : 0;
      }
    },
    addRows(rows, cols, x, y) {
      const view = memory.views[dtype];
      for (let c = 0; c < cols; c++) {
        let total = view[y / size + c]!;
        for (let r = 0; r < rows; r++) total += view[x / size + r * cols + c]!;
        view[y / size + c] = total;
      }
    },
    addTo(rows, cols, x, xRow, xCol, y, yRow, yCol) {
      const view = memory.views[dtype];
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < cols; c++) {
          view[y / size + r * yRow + c * yCol]! += view[x / size + r * xRow + c * xCol]!;
        }
      }
    },
    fill(n, value, y) {
      elements(n, y).fill(value);
    },
    norm(n, x, y) {
      const values = Array.from(elements(n, x));
      const float64 = memory.views.float64.subarray(y / 8);
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const parts = values.reduce((sum, value) => sum + (value / largest) ** 2, 0);
      const isPlain = largest > 0 && largest < Infinity;
      float64[0] = Math.hypot(float64[0]!, isPlain ? largest * Math.sqrt(parts) : largest);
    },
    limitNorm(n, x, norm, limit, y) {
      const length = memory.views.float64[norm / 8]!;
      const applies = length > limit && length < Infinity;
      const view = memory.views[dtype];
      // Of two parts, as the quotient of all may be no number.
      const part = applies ? Math.min(1, limit / Math.sqrt(length)) : 1;
      const rest = applies ? limit / part / length : 1;
      for (let i = 0; i < n; i++) view[y / size + i] = view[x / size + i]! * part * rest;
    },
    sumSquares: (n, x) =>
      Array.from(elements(n, x)).reduce((total, value) => total + value * value, 0),
    firstNonFinite: (n, x) => elements(n, x).findIndex((value) => !Number.isFinite(value)),
  };
}

/** Conversions by assignment between typed arrays; int32 saturates first. */
export function referenceCasts(memory: Memory): CastKernels {
  const cast = (from: Dtype, to: Dtype): UnaryKernel => {
    return (n, x, y) => {
      const source = memory.views[from];
      const target = memory.views[to];
      for (let i = 0; i < n; i++) {
        const value = source[x / source.BYTES_PER_ELEMENT + i]!;
        target[y / target.BYTES_PER_ELEMENT + i] =
          to === "int32" ? Math.min(Math.max(value, -(2 ** 31)), 2 ** 31 - 1) : value;
      }
    };
  };
  return {
    float32ToFloat64: cast("float32", "float64"),
    float64ToFloat32: cast("float64", "float32"),
    float32ToInt32: cast("float32", "int32"),
    float64ToInt32: cast("float64", "int32"),
    int32ToFloat32: cast("int32", "float32"),
    int32ToFloat64: cast("int32", "float64"),
  };
}

export function referenceFirstOutOfRange(memory: Memory): Kernel<typeof firstOutOfRange, number> {
  return (n, indices, low, high, except) => {
    const values = memory.views.int32.subarray(indices / 4, indices / 4 + n);
    return values.findIndex((index) => (index < low || index >= high) && index !== except);
  };
}
