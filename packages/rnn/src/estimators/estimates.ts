import type { EstimatorRow } from "./comparison.ts";

/**
 * Estimates of a vector, in one pass: their mean, variance (Welford 1962) and angles.
 *
 * All are held in units of the vector's largest number, as a power of two: exact, and the squares
 * of tiny or huge ones neither vanish nor overflow.
 */
export class Estimates {
  readonly #unit: number;
  readonly #truth: Float64Array;
  readonly #mean: Float64Array;
  #count = 0;
  /** The sum of squared distances from the mean. */
  #squares = 0;
  #cosines = 0;

  constructor(truth: Float64Array) {
    this.#unit = unitOf(truth);
    this.#truth = truth.map((x) => x / this.#unit);
    this.#mean = new Float64Array(truth.length);
  }

  add(estimate: Float64Array): void {
    const mean = this.#mean;
    const own = estimate.map((x) => x / this.#unit);
    this.#count++;
    for (const [i, x] of own.entries()) {
      const before = x - mean[i]!;
      mean[i]! += before / this.#count;
      this.#squares += before * (x - mean[i]!);
    }
    this.#cosines += this.#cosine(own);
  }

  /** With the truth; 0 for an estimate that is zero. */
  #cosine(estimate: Float64Array): number {
    const unit = unitOf(estimate);
    let [dot, square] = [0, 0];
    for (const [i, x] of estimate.entries()) {
      dot += (x / unit) * this.#truth[i]!;
      square += (x / unit) ** 2;
    }
    return square === 0 ? 0 : dot / (Math.sqrt(square) * normOf(this.#truth));
  }

  row(): Pick<
    EstimatorRow,
    "bias" | "biasError" | "variance" | "relative" | "cosine" | "cosineOfMean"
  > {
    const n = this.#count;
    const unit = this.#unit;
    const bias = normOf(this.#mean.map((x, i) => x - this.#truth[i]!));
    const variance = n > 1 ? this.#squares / (n - 1) : 0;
    const biasError = Math.sqrt(variance / n);
    const by = normOf(this.#truth);
    return {
      bias: bias * unit,
      biasError: biasError * unit,
      variance: variance * unit * unit,
      relative: { bias: bias / by, biasError: biasError / by, deviation: Math.sqrt(variance) / by },
      cosine: this.#cosines / n,
      cosineOfMean: this.#cosine(this.#mean),
    };
  }
}

/** The largest size of all numbers. */
function mostOf(values: Float64Array): number {
  return values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
}

/** A power of two near the largest size; 1 where all are zero. */
function unitOf(values: Float64Array): number {
  const most = mostOf(values);
  return most === 0 ? 1 : 2 ** Math.max(-1022, Math.floor(Math.log2(most)));
}

/** The Euclidean norm, also where squares overflow or vanish. */
export function normOf(values: Float64Array): number {
  const most = mostOf(values);
  if (most === 0) return 0;
  return most * Math.sqrt(values.reduce((sum, x) => sum + (x / most) ** 2, 0));
}
