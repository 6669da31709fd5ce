import type { Memory } from "./memory.ts";
import type { KernelsOf } from "./signature.ts";

export const rowsSignatures = {
  /**
   * `y[r, :] = softmax(x[r, :])` of contiguous rows, shifted by the row's maximum, as in
   * `logSoftmax`.
   */
  softmax: "rows cols x:in y:out",
  logSoftmax: "rows cols x:in y:out",
  /** `y[o, l, i] = sum of x[o, 0..l, i]` (from the far end when `reverse` is 1). */
  cumsum: "outer length inner reverse x:in y:out",
  /**
   * Positions that sort each row, from the largest down when `descending` is 1; equal elements keep
   * their order, NaN counts as the largest. `scratch` takes `cols` int32.
   */
  argsort: "rows cols descending x:in scratch:out y:out",
  /**
   * `losses[r] = logSumExp(logits[r,:]) - logits[r, targets[r]]`, 0 where `targets[r]` is
   * `ignoreIndex`.
   */
  crossEntropy: "rows cols logits:in targets:in ignoreIndex losses:out",
  /**
   * `dx[r,:] = g[r] * (softmax(logits[r,:]) - onehot(targets[r]))`, 0 where `targets[r]` is
   * `ignoreIndex`.
   */
  crossEntropyVjp: "rows cols logits:in targets:in ignoreIndex g:in dx:out",
} as const;
export type RowsKernels = KernelsOf<typeof rowsSignatures>;
export type RowsName = "softmax" | "logSoftmax";

/** Numerators and denominator of softmax, shifted by the maximum. */
function exponentials(row: readonly number[]): { shift: number; terms: number[]; total: number } {
  const shift = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const terms = row.map((value) => Math.exp(value - shift));
  return { shift, terms, total: terms.reduce((a, b) => a + b, 0) };
}

function softmax(row: readonly number[]): number[] {
  const { terms, total } = exponentials(row);
  return terms.map((term) => term / total);
}

function logSoftmax(row: readonly number[]): number[] {
  const { shift, total } = exponentials(row);
  return row.map((value) => value - shift - Math.log(total));
}

function crossEntropy(row: readonly number[], target: number): number {
  const { shift, total } = exponentials(row);
  const distance = shift - row[target]!;
  return Number.isFinite(shift) ? Math.log(total) + distance : distance;
}

function crossEntropyVjp(row: readonly number[], target: number, g: number): number[] {
  const { terms, total } = exponentials(row);
  return terms.map((term, j) => g * ((j === target ? term - total : term) / total));
}

/** Row-wise kernels in float64 arithmetic, rounded once when stored. */
export function referenceRows(memory: Memory, dtype: "float32" | "float64"): RowsKernels {
  const size = dtype === "float32" ? 4 : 8;
  const read = (x: number, row: number, cols: number): number[] => {
    const start = x / size + row * cols;
    return Array.from(memory.views[dtype].subarray(start, start + cols));
  };
  const write = (y: number, row: number, values: readonly number[]): void => {
    memory.views[dtype].set(values, y / size + row * values.length);
  };
  const kernel = (f: (row: readonly number[]) => number[]): RowsKernels["softmax"] => {
    return (rows, cols, x, y) => {
      for (let r = 0; r < rows; r++) write(y, r, f(read(x, r, cols)));
    };
  };
  return {
    softmax: kernel(softmax),
    logSoftmax: kernel(logSoftmax),
    crossEntropy(rows, cols, logits, targets, ignoreIndex, losses) {
      for (let r = 0; r < rows; r++) {
        const target = memory.views.int32[targets / 4 + r]!;
        const ignored = target === ignoreIndex;
        write(losses, r, [ignored ? 0 : crossEntropy(read(logits, r, cols), target)]);
      }
    },
    crossEntropyVjp(rows, cols, logits, targets, ignoreIndex, g, dx) {
      for (let r = 0; r < rows; r++) {
        const target = memory.views.int32[targets / 4 + r]!;
        const row = read(logits, r, cols);
        const cotangent = memory.views[dtype][g / size + r]!;
        const ignored = target === ignoreIndex;
        write(dx, r, ignored ? row.fill(0) : crossEntropyVjp(row, target, cotangent));
      }
    },
    argsort(rows, cols, descending, x, _scratch, y) {
      for (let r = 0; r < rows; r++) {
        const row = read(x, r, cols);
        const order = row.map((_, i) => i);
        // NaN counts as the largest; JavaScript's sort is stable.
        order.sort((i, j) => {
          const [a, b] = [row[i]!, row[j]!];
          const sign =
            Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || Number(a > b) - Number(a < b);
          return descending === 1 ? -sign : sign;
        });
        memory.views.int32.set(order, y / 4 + r * cols);
      }
    },
    cumsum(outer, length, inner, reverse, x, y) {
      const view = memory.views[dtype];
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          let total = 0;
          for (let step = 0; step < length; step++) {
            const l = reverse === 1 ? length - 1 - step : step;
            const index = (o * length + l) * inner + i;
            total += view[x / size + index]!;
            view[y / size + index] = total;
          }
        }
      }
    },
  };
}
