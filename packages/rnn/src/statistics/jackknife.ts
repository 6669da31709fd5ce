import { studentQuantile } from "./studentQuantile.ts";

/** Sums of several quantities over a part of the samples, and how many samples that are. */
export interface Batch {
  readonly sums: Float64Array;
  readonly count: number;
}

/** How far a number that was computed from samples may be from that of all possible samples. */
export interface Spread {
  readonly standardError: number;
  /** 95 % lie in it, by Student's distribution with one degree of freedom less than batches. */
  readonly interval: readonly [low: number, high: number];
}

/** The means of all batches together, but for one of them where it is said. */
export function meansOf(batches: readonly Batch[], without?: Batch): Float64Array {
  const sums = new Float64Array(batches[0]!.sums.length);
  let total = 0;
  for (const batch of batches) {
    if (batch === without) continue;
    total += batch.count;
    for (const [i, sum] of batch.sums.entries()) sums[i]! += sum;
  }
  return sums.map((sum) => sum / total);
}

/**
 * How far `of(means)` is from that of all samples, by leaving out each of the batches in turn (the
 * jackknife: Quenouille 1956; Tukey 1958). Samples within a batch may depend on each other, and of
 * a mean over batches of one size it is the method of batch means. `null` for fewer than two
 * batches.
 */
export function jackknife(
  batches: readonly Batch[],
  of: (means: Float64Array) => number,
): Spread | null {
  const n = batches.length;
  if (n < 2) return null;
  const value = of(meansOf(batches));
  const without = batches.map((batch) => of(meansOf(batches, batch)));
  const middle = without.reduce((a, b) => a + b) / n;
  const deviation = without.reduce((norm, each) => Math.hypot(norm, each - middle), 0);
  const standardError = deviation * Math.sqrt((n - 1) / n);
  const reach = studentQuantile(n - 1, 0.95) * standardError;
  return { standardError, interval: [value - reach, value + reach] };
}
