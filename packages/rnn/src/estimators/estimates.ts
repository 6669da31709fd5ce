import type { EstimatorRow } from "./comparison.ts";

/** Estimates of a vector, in one pass: their mean, variance (Welford 1962) and angles. */
export class Estimates {
  readonly #truth: Float64Array;
  readonly #norm: number;
  readonly #mean: Float64Array;
  #count = 0;
  /** The sum of squared distances from the mean. */
  #squares = 0;
  #cosines = 0;

  constructor(truth: Float64Array) {
    this.#truth = truth;
    this.#norm = normOf(truth);
    this.#mean = new Float64Array(truth.length);
  }

  add(estimate: Float64Array): void {
    const mean = this.#mean;
    this.#count++;
    for (const [i, x] of estimate.entries()) {
      const before = x - mean[i]!;
      mean[i]! += before / this.#count;
      this.#squares += before * (x - mean[i]!);
    }
    this.#cosines += this.#cosine(estimate);
  }

  /** With the truth; 0 for an estimate that is zero. */
  #cosine(estimate: Float64Array): number {
    let dot = 0;
    for (const [i, x] of estimate.entries()) dot += x * this.#truth[i]!;
    const norms = normOf(estimate) * this.#norm;
    return norms === 0 ? 0 : dot / norms;
  }

  row(): Pick<
    EstimatorRow,
    "bias" | "biasError" | "variance" | "relative" | "cosine" | "cosineOfMean"
  > {
    const n = this.#count;
    const bias = normOf(this.#mean.map((x, i) => x - this.#truth[i]!));
    const variance = n > 1 ? this.#squares / (n - 1) : 0;
    const biasError = Math.sqrt(variance / n);
    const by = this.#norm;
    return {
      bias,
      biasError,
      variance,
      relative: { bias: bias / by, biasError: biasError / by, deviation: Math.sqrt(variance) / by },
      cosine: this.#cosines / n,
      cosineOfMean: this.#cosine(this.#mean),
    };
  }
}

/** The Euclidean norm, also where squares overflow or vanish. */
export function normOf(values: Float64Array): number {
  const most = values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  if (most === 0) return 0;
  return most * Math.sqrt(values.reduce((sum, x) => sum + (x / most) ** 2, 0));
}
