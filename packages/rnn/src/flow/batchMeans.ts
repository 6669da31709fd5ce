/** How much K directions grew over some steps: the logarithms of the diagonal of R. */
export interface Growth {
  /** The last of the steps. */
  readonly t: number;
  readonly steps: number;
  readonly logs: Float64Array;
}

/** Growth per step, with its standard error. */
export interface GrowthRate {
  readonly steps: number;
  readonly rates: readonly number[];
  readonly errors: readonly number[];
}

/** The mean growth per step of K directions: all growth by all steps. */
export function meanGrowth(growths: readonly Growth[], count: number): number[] {
  const steps = growths.reduce((sum, growth) => sum + growth.steps, 0);
  return Array.from({ length: count }, (_, k) => {
    return growths.reduce((sum, { logs }) => sum + logs[k]!, 0) / steps;
  });
}

/**
 * The mean growth per step with its standard error by means of up to 20 batches of consecutive
 * steps: those of long batches are nearly independent of each other (Schmeiser 1982). The error of
 * a rate of -Infinity is 0.
 */
export function batchMeans(growths: readonly Growth[], count: number): GrowthRate {
  const steps = growths.reduce((sum, growth) => sum + growth.steps, 0);
  const rates = meanGrowth(growths, count);
  const batches = Math.min(20, Math.max(2, Math.floor(Math.sqrt(growths.length))));
  const bound = (i: number) => Math.round((i * growths.length) / batches);
  const means = Array.from({ length: batches }, (_, i) => {
    return meanGrowth(growths.slice(bound(i), bound(i + 1)), count);
  });
  const errors = rates.map((rate, k) => {
    if (rate === -Infinity) return 0;
    const squares = means.reduce((sum, mean) => sum + (mean[k]! - rate) ** 2, 0);
    return Math.sqrt(squares / (batches - 1) / batches);
  });
  return { steps, rates, errors };
}
