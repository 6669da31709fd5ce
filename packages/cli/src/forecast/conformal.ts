/** A forecast with its own idea of how sure it is, from one origin. */
export interface Predicted {
  /** The place of the first value that it predicts. */
  readonly origin: number;
  readonly mean: Float64Array;
  /** Standard deviations, above 0. */
  readonly deviation: Float64Array;
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
}

/**
 * The least number that at least `level` of scores and one more, unknown one stay below: the one of
 * rank `ceil((n + 1) level)`, or infinity where n are too few.
 */
function quantile(scores: readonly number[], level: number): number {
  const rank = Math.ceil((scores.length + 1) * level - 1e-9);
  return [...scores].sort((a, b) => a - b)[rank - 1] ?? Number.POSITIVE_INFINITY;
}

/**
 * Intervals `mean - q deviation` to `mean + q deviation` that held the wanted share of values
 * before. The factor q of each origin and step h is a quantile of the errors over deviations that
 * earlier forecasts of h steps have made, as far as their values lie before the origin: conformal
 * prediction (Vovk, Gammerman & Shafer 2005) with scores scaled by their deviations (Lei et al.
 * 2018) and a set for calibration that moves on with time. Where the errors to come are
 * exchangeable with those, an interval holds its value with a probability of at least `level`,
 * whatever the model.
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
 *   deviation: Float64Array.of(1),
 * }));
 * const intervals = conformal(values, forecasts, { level: 0.6 });
 * intervals.map(({ upper }) => upper[0]); // => [Infinity, Infinity, 2, 3, 3]
 * ```
 */
export function conformal(
  values: Float64Array,
  forecasts: readonly Predicted[],
  { level, window = Number.POSITIVE_INFINITY }: ConformalOptions,
): readonly Interval[] {
  if (!(level > 0 && level < 1)) {
    throw new RangeError(`conformal: level must be a share between 0 and 1, got ${level}`);
  }
  if (!(window >= 1)) {
    throw new RangeError(`conformal: window must be at least 1 error, got ${window}`);
  }
  forecasts.forEach(({ origin }, i) => {
    if (i === 0 || origin >= forecasts[i - 1]!.origin) return;
    throw new RangeError(
      `conformal: origins must ascend, got ${origin} after ${forecasts[i - 1]!.origin}`,
    );
  });
  return forecasts.map(({ origin, mean, deviation }) => {
    const reach = Float64Array.from(mean, (_, h) => {
      const scores = forecasts.flatMap((earlier) => {
        const at = earlier.origin + h;
        if (at >= origin || h >= earlier.mean.length) return [];
        return [Math.abs(values[at]! - earlier.mean[h]!) / earlier.deviation[h]!];
      });
      const latest = window < scores.length ? scores.slice(-window) : scores;
      return quantile(latest, level) * deviation[h]!;
    });
    return {
      lower: mean.map((x, h) => x - reach[h]!),
      upper: mean.map((x, h) => x + reach[h]!),
    };
  });
}
