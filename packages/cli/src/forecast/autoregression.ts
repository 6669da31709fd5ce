import { checkOptions } from "../checkOptions.ts";
import { counted } from "../command/counted.ts";
import { meanOf } from "../data/moments.ts";
import { checkOrigins, checkSeason, checkValues } from "./checks.ts";
import type { Forecaster } from "./forecaster.ts";
import { leastSquares } from "./leastSquares.ts";

/** What `autoregression` takes. */
export interface AutoregressionOptions {
  /** The most lags; how many of 1 to this many there are is chosen. */
  readonly maxLag: number;
  /** Steps of a season, which is one more lag; 1, for none, unless given. */
  readonly season?: number;
  /** Steps of a wave and how many of its harmonics are regressors beside the lags. */
  readonly waves?: { readonly period: number; readonly harmonics: number };
}

/** A fitted autoregression. */
export interface Autoregression extends Forecaster {
  readonly lags: readonly number[];
  /** Of 1, the cosines and sines of the waves, and the lags. */
  readonly coefficients: Float64Array;
  /** How many values a forecast needs before it. */
  readonly least: number;
}

/**
 * `x[t] = c + sum of a_l x[t - l]` over lags, fitted by least squares; forecasts of several steps
 * feed on those before. The number of lags has the least information criterion
 * `n log(error) + 2 k` (Akaike 1974), over the same n values for every number.
 *
 * @param values what it is fitted to
 *
 * @example
 * ```ts
 * import { autoregression } from "chronograd/forecast";
 *
 * const values = Float64Array.of(1, 2, 4, 8, 16, 32);
 * const model = autoregression(values, { maxLag: 1 });
 * const [next] = model.forecast(values, [6], 2);
 * [...next!].map(Math.round); // => [64, 128]
 * ```
 */
export function autoregression(
  values: Float64Array,
  options: AutoregressionOptions,
): Autoregression {
  const { maxLag, season = 1, waves } = options;
  checkOptions("autoregression", options, ["maxLag", "season", "waves"]);
  checkSeason(season, "autoregression");
  checkValues(values, "autoregression");
  const largest = Math.max(maxLag, season);
  const known = values.length - largest;
  const most = 2 + maxLag + 2 * (waves?.harmonics ?? 0);
  if (!(Number.isSafeInteger(maxLag) && maxLag >= 1) || known <= most) {
    throw new RangeError(
      `autoregression: ${counted(maxLag, "lag")} and a season of ${season} need whole numbers and more than ${largest + most} values, got ${values.length}`,
    );
  }
  // Around their mean, so that squares of large values do not hide how they differ.
  const mean = meanOf(values);
  const centred = values.map((x) => x - mean);
  const target = centred.subarray(largest);
  const candidates = Array.from({ length: maxLag }, (_, i) => {
    const lags = Array.from({ length: i + 1 }, (_, l) => l + 1);
    if (season > i + 1) lags.push(season);
    const row = regressors(lags, waves);
    const rows = Array.from(target, (_, t) => row(centred, largest + t));
    const { coefficients, error } = leastSquares(rows, target);
    const criterion = known * Math.log(error) + 2 * coefficients.length;
    return { lags, row, coefficients, criterion };
  });
  const best = candidates.reduce((a, b) => (b.criterion < a.criterion ? b : a));
  const { lags, row } = best;
  const least = lags.at(-1)!;
  const weights = best.coefficients.subarray(-lags.length);
  const coefficients = best.coefficients.slice();
  coefficients[0]! += mean * (1 - weights.reduce((sum, weight) => sum + weight, 0));
  return {
    name: `autoregression of ${counted(lags.length, "lag")}`,
    lags,
    coefficients,
    least,
    forecast(series, origins, horizon) {
      checkOrigins(series, origins, horizon, least, "autoregression");
      return origins.map((origin) => {
        const all = new Float64Array(origin + horizon);
        all.set(series.subarray(0, origin).map((x) => x - mean));
        for (let t = origin; t < all.length; t++) {
          all[t] = row(all, t).reduce((sum, x, i) => sum + x * best.coefficients[i]!, 0);
        }
        return all.slice(origin).map((x) => x + mean);
      });
    },
  };
}

/** A function that gives the regressors of a time: 1, waves, lags. */
function regressors(lags: readonly number[], { period, harmonics } = { period: 1, harmonics: 0 }) {
  return (values: Float64Array, t: number): Float64Array => {
    const row = [1];
    for (let k = 1; k <= harmonics; k++) {
      const angle = (2 * Math.PI * k * (t % period)) / period;
      row.push(Math.cos(angle), Math.sin(angle));
    }
    for (const lag of lags) row.push(values[t - lag]!);
    return Float64Array.from(row);
  };
}
