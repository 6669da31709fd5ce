import type { Memory } from "./memory.ts";
import type { KernelsOf } from "./signature.ts";

/**
 * Layer normalisation of the rows of a contiguous `x [rows, cols]`: with `d = x - mean` and
 * `s = 1 / sqrt(mean of d^2 + epsilon)`, `n = d s`.
 */
export const normalizationSignatures = {
  /** `y = n gain + bias`. */
  layerNorm: "rows cols x:in gain:in bias:in epsilon:real y:out",
  /**
   * With `k = g gain`: `dx = s (k - mean of k - n (mean of k n))`, added to what is there when
   * `accumulate` is 1.
   */
  layerNormVjp: "rows cols x:in gain:in g:in epsilon:real accumulate dx:inout",
  /**
   * `dgain = sum over rows of g n`, accurate as `sum` is; added to what is there when `accumulate`
   * is 1.
   */
  layerNormVjpGain: "rows cols x:in g:in epsilon:real accumulate dgain:inout",
} as const;
export type NormalizationKernels = KernelsOf<typeof normalizationSignatures>;

const meanOf = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0) / row.length;

/**
 * Layer normalisation in float64 arithmetic, rounded once when stored; `epsilon` is rounded to the
 * dtype first.
 */
export function referenceNormalization(
  memory: Memory,
  dtype: "float32" | "float64",
): NormalizationKernels {
  const size = dtype === "float32" ? 4 : 8;
  const rounded = dtype === "float32" ? Math.fround : (value: number) => value;
  const read = (x: number, row: number, cols: number): number[] => {
    const start = x / size + row * cols;
    return Array.from(memory.views[dtype].subarray(start, start + cols));
  };
  const write = (y: number, row: number, values: readonly number[], accumulate = 0): void => {
    const before = read(y, row, values.length);
    const stored = values.map((value, i) => (accumulate === 1 ? before[i]! + value : value));
    memory.views[dtype].set(stored, y / size + row * values.length);
  };
  /** `n` and `s`. */
  const normal = (row: readonly number[], epsilon: number): [n: number[], s: number] => {
    const mean = meanOf(row);
    const d = row.map((value) => value - mean);
    const s = 1 / Math.sqrt(meanOf(d.map((value) => value * value)) + rounded(epsilon));
    return [d.map((value) => value * s), s];
  };
  return {
    layerNorm(rows, cols, x, gain, bias, epsilon, y) {
      const [gains, biases] = [read(gain, 0, cols), read(bias, 0, cols)];
      for (let r = 0; r < rows; r++) {
        const [n] = normal(read(x, r, cols), epsilon);
        const row = n.map((value, i) => value * gains[i]! + biases[i]!);
        write(y, r, row);
      }
    },
    layerNormVjp(rows, cols, x, gain, g, epsilon, accumulate, dx) {
      const gains = read(gain, 0, cols);
      for (let r = 0; r < rows; r++) {
        const [n, s] = normal(read(x, r, cols), epsilon);
        const k = read(g, r, cols).map((value, i) => value * gains[i]!);
        const [average, slope] = [meanOf(k), meanOf(k.map((value, i) => value * n[i]!))];
        const row = k.map((value, i) => s * (value - average - n[i]! * slope));
        write(dx, r, row, accumulate);
      }
    },
    layerNormVjpGain(rows, cols, x, g, epsilon, accumulate, dgain) {
      const totals = new Array<number>(cols).fill(0);
      for (let r = 0; r < rows; r++) {
        const [n] = normal(read(x, r, cols), epsilon);
        for (const [i, value] of read(g, r, cols).entries()) totals[i]! += value * n[i]!;
      }
      write(dgain, 0, totals, accumulate);
    },
  };
}
