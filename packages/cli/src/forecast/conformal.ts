import { checkOptions } from "../checkOptions.ts";

/** A forecast with its own idea of how sure it is, from one origin. */
export interface Predicted {
  /** The place of the first value that it predicts. */
  readonly origin: number;
  readonly mean: Float64Array;
  /**
   * Scales, above 0, of how far values come below the mean: deviations, or distances to a quantile.
   */
  readonly below: Float64Array;
  /** And of how far above. */
  readonly above: Float64Array;
}

/** Ends of intervals, for each step of a horizon. */
export interface Interval {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** What `conformal` takes. */
export interface ConformalOptions {
  /** The share of values that an interval is to hold, such as 0.8. */
  readonly level: number;
  /** How many of the latest errors of each step of the horizon count; all unless given. */
  readonly window?: number;
  /** How fast the level follows misses; 0, not at all, unless given. */
  readonly rate?: number;
}

/**
 * Intervals `mean - q below` to `mean + q above` that held the wanted share of values before. The
 * factor q of each origin and step h is a quantile of the errors over scales that earlier forecasts
 * of h steps have made, as far as their values lie before the origin: conformal prediction (Vovk,
 * Gammerman & Shafer 2005) with scaled scores (Lei et al. 2018; of quantiles, Romano et al. 2019)
 * and a set for calibration that grows with time. Where the errors to come are exchangeable
 * with those, an interval holds its value with a probability of at least `level`, whatever the
 * model.
 *
 * Errors of a series that drifts are not. With a `rate`, each step's level moves by
 * `rate (missed - (1 - level))` after each value, so that in the long run the right share is held
 * whatever comes (Gibbs & Candes 2021, Adaptive conformal inference); an interval is then at most
 * as wide as the largest error.
 *
 * With too few earlier errors, less than `level / (1 - level)`, an interval is infinite.
 *
 * @param values the series
 * @param forecasts by ascending origin, those for calibration first
 * @returns an interval for each forecast
 *
 * @example
 * ```ts
 * import { conformal } from "chronograd/forecast";
 *
 * const values = Float64Array.of(1, -2, 3, -4, 0);
 * const forecasts = [0, 1, 2, 3, 4].map((origin) => ({
 *   origin,
 *   mean: Float64Array.of(0),
 *   below: Float64Array.of(1),
 *   above: Float64Array.of(1),
 * }));
 * const intervals = conformal(values, forecasts, { level: 0.6 });
 * intervals.map(({ upper }) => upper[0]); // => [Infinity, Infinity, 2, 3, 3]
 * ```
 */
export function conformal(
  values: Float64Array,
  forecasts: readonly Predicted[],
  options: ConformalOptions,
): readonly Interval[] {
  checkOptions("conformal", options, ["level", "window", "rate"]);
  checkConformal(forecasts, options);
  const steps = Math.max(0, ...forecasts.map(({ mean }) => mean.length));
  const factors = Array.from({ length: steps }, (_, h) => {
    const some = forecasts.filter(({ mean }) => h < mean.length);
    const found = factorsOf(values, some, h, options);
    return new Map(some.map((forecast, i) => [forecast, found[i]!]));
  });
  return forecasts.map((forecast) => {
    const { mean, below, above } = forecast;
    const factor = (h: number) => factors[h]!.get(forecast)!;
    return {
      lower: mean.map((x, h) => x - factor(h) * below[h]!),
      upper: mean.map((x, h) => x + factor(h) * above[h]!),
    };
  });
}

/** The factors q of one step h of the horizon. */
function factorsOf(
  values: Float64Array,
  forecasts: readonly Predicted[],
  h: number,
  { level, window = Number.POSITIVE_INFINITY, rate = 0 }: ConformalOptions,
): number[] {
  const factors: number[] = [];
  const scores: number[] = [];
  const sorted: number[] = [];
  let share = level;
  for (const { origin } of forecasts) {
    for (let i = scores.length; i < factors.length; i++) {
      const { origin: earlier, mean, below, above } = forecasts[i]!;
      if (earlier + h >= origin) break;
      const error = values[earlier + h]! - mean[h]!;
      const score = Math.max(error / above[h]!, -error / below[h]!);
      if (factors[i]! < Number.POSITIVE_INFINITY) {
        share += rate * ((score > factors[i]! ? 1 : 0) - (1 - level));
      }
      scores.push(score);
      sorted.splice(placeOf(score, sorted), 0, score);
      if (scores.length > window) sorted.splice(placeOf(scores.at(-window - 1)!, sorted), 1);
    }
    // The rank of the least score that at least this share of all scores, and one more, stay below.
    const rank = Math.ceil((sorted.length + 1) * share - 1e-9);
    const enough = Math.ceil((sorted.length + 1) * level - 1e-9) <= sorted.length;
    const limited = rate > 0 && enough ? Math.min(Math.max(rank, 1), sorted.length) : rank;
    factors.push(sorted[limited - 1] ?? Number.POSITIVE_INFINITY);
  }
  return factors;
}

/** The place of the first of ascending numbers that is not below x. */
function placeOf(x: number, sorted: readonly number[]): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkConformal(
  forecasts: readonly Predicted[],
  { level, window = 1, rate = 0 }: ConformalOptions,
): void {
  if (!(level > 0 && level < 1)) {
    throw new RangeError(`conformal: level must be a share between 0 and 1, got ${level}`);
  }
  if (!(window >= 1 && (Number.isInteger(window) || window === Number.POSITIVE_INFINITY))) {
    throw new RangeError(
      `conformal: window must be a whole number of at least 1 error, got ${window}`,
    );
  }
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(`conformal: rate must be at least 0 and below 1, got ${rate}`);
  }
  forecasts.forEach(({ origin }, i) => {
    if (i === 0 || origin >= forecasts[i - 1]!.origin) return;
    throw new RangeError(
      `conformal: origins must ascend, got ${origin} after ${forecasts[i - 1]!.origin}`,
    );
  });
}
