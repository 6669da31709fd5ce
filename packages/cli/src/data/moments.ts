/** The mean of values. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  if (Number.isFinite(sum)) return sum / values.length;
  // The sum of finite numbers may be too large for one, and their mean never is.
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i]! / values.length;
  return mean;
}

/** The standard deviation of values; 1 where all are the same, so that it can divide. */
export function deviationOf(values: ArrayLike<number>): number {
  const mean = meanOf(values);
  const errors = Float64Array.from(values, (x) => x - mean);
  const deviation = Math.sqrt(meanOf(errors.map((x) => x ** 2)));
  if (deviation > 0 && deviation < Infinity) return deviation;
  // Squares of large or small numbers are infinite or 0.
  const largest = errors.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (largest === 0 || !Number.isFinite(largest)) return largest || 1;
  return largest * Math.sqrt(meanOf(errors.map((x) => (x / largest) ** 2)));
}
