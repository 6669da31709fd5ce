import ndarray from "ndarray";
import { assign, assigns, norm2squared } from "ndarray-ops";
import type { FloatKernels, Kernels } from "../contract.ts";
import type { UnaryKernel } from "../elementwise.ts";
import type { Memory } from "../memory.ts";
import type { CastKernels, IndexedKernels, MoveKernels, NumberKernels } from "../move.ts";

type Dtype = "float32" | "float64" | "int32";

/** Copies of elements of `dtype`'s size. */
export function moves(memory: Memory, dtype: "int32" | "float64"): MoveKernels {
  const size = dtype === "int32" ? 4 : 8;
  return {
    copy(rows, cols, x, xRow, xCol, y, yRow, yCol) {
      const view = memory.views[dtype];
      assign(
        ndarray(view, [rows, cols], [yRow, yCol], y / size),
        ndarray(view, [rows, cols], [xRow, xCol], x / size),
      );
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
export function scans(
  memory: Memory,
  dtype: "float32" | "float64",
): IndexedKernels & NumberKernels & Pick<FloatKernels, "fill"> {
  const size = dtype === "float32" ? 4 : 8;
  const row = (n: number, x: number) => ndarray(memory.views[dtype], [n], [1], x / size);
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
      assigns(row(n, y), value);
    },
    norm(n, x, y) {
      const values = Array.from(memory.views[dtype].subarray(x / size, x / size + n));
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
    sumSquares: (n, x) => norm2squared(row(n, x)),
    firstNonFinite(n, x) {
      const start = x / size;
      const values = memory.views[dtype].subarray(start, start + n);
      return values.findIndex((value) => !Number.isFinite(value));
    },
  };
}

/** Conversions by assignment between typed arrays; int32 saturates first. */
export function casts(memory: Memory): CastKernels {
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

export function firstOutOfRange(memory: Memory): Kernels["firstOutOfRange"] {
  return (n, indices, low, high, except) => {
    const values = memory.views.int32.subarray(indices / 4, indices / 4 + n);
    return values.findIndex((index) => (index < low || index >= high) && index !== except);
  };
}
