import { meanOf } from "../data/moments.ts";
import type { Spacing } from "../data/spacing.ts";

/** Steps in a day, a week and a year, by the spacing. */
const calendar: Readonly<Record<string, readonly number[]>> = {
  "hour 1": [24, 168],
  "day 1": [7, 365],
  "day 7": [52],
  "month 1": [12],
  "month 3": [4],
};

/** The residuals of a line through values. */
function detrended(values: Float64Array): Float64Array {
  const middle = (values.length - 1) / 2;
  const mean = meanOf(values);
  let [above, below] = [0, 0];
  values.forEach((x, t) => {
    above += (t - middle) * (x - mean);
    below += (t - middle) ** 2;
  });
  return values.map((x, t) => x - mean - (above / below) * (t - middle));
}

/** Correlations of a series of mean 0 with itself, 0 to `most` steps apart, not shrunk. */
function autocorrelations(values: Float64Array, most: number): number[] {
  const at = (lag: number) => {
    let sum = 0;
    for (let t = lag; t < values.length; t++) sum += values[t]! * values[t - lag]!;
    return (sum * values.length) / (values.length - lag);
  };
  const whole = at(0);
  return Array.from({ length: most + 1 }, (_, lag) => (whole === 0 ? 0 : at(lag) / whole));
}

/** Where the autocorrelation is highest in the first hump that is nearly as high as any. */
function peak(values: Float64Array): { readonly lag: number; readonly height: number } {
  const r = autocorrelations(values, Math.floor(values.length / 3));
  const humps: { lag: number; height: number }[] = [];
  for (let lag = r.findIndex((x) => x < 0); lag > 0 && lag < r.length - 1; lag++) {
    const height = r[lag]!;
    if (height <= 0) continue;
    const last = humps.at(-1);
    if (last === undefined || r[lag - 1]! <= 0) humps.push({ lag, height });
    else if (height > last.height) humps[humps.length - 1] = { lag, height };
  }
  const highest = Math.max(0, ...humps.map(({ height }) => height));
  // A season of m steps has humps at 2 m, 3 m, ..., which noise may lift above the first.
  return humps.find(({ height }) => height > 0.8 * highest) ?? { lag: 1, height: 0 };
}

/**
 * The steps of a season: the lag of the first high hump of the autocorrelation, of the series
 * without its trend or of its differences, whichever correlates more. 1 where none exceeds 0.3. A
 * lag within 5 % of a day, a week or a year counts as that.
 *
 * @param values at least three seasons of which are needed to find one
 *
 * @example
 * ```ts
 * import { findSeason } from "chronograd/forecast";
 *
 * const values = Float64Array.from({ length: 60 }, (_, t) => t + 5 * Math.sin(t * Math.PI / 6));
 * findSeason(values); // => 12
 * ```
 */
export function findSeason(values: Float64Array, spacing?: Spacing): number {
  if (values.length < 6) return 1;
  const differences = values.slice(1).map((x, t) => x - values[t]!);
  const [a, b] = [peak(detrended(values)), peak(detrended(differences))];
  const { lag, height } = b.height > a.height ? b : a;
  if (height < 0.3) return 1;
  const known = spacing === undefined ? [] : (calendar[`${spacing.unit} ${spacing.count}`] ?? []);
  return known.find((season) => Math.abs(lag - season) <= 0.05 * season) ?? lag;
}
