import { checkOrigins, checkSeason } from "./checks.ts";
import type { Forecaster } from "./forecaster.ts";
import { leastSquares } from "./leastSquares.ts";

/** What `autoregression` takes. */
export interface AutoregressionOptions {
  /** The most lags; how many of 1 to this many there are is chosen. */
  readonly maxLag: number;
  /** One more lag, of a season; those near it, as in seasonal models, come by a larger `maxLag`. */
  readonly season?: number;
  /** Steps of a yearly wave and how many of its harmonics are regressors beside the lags. */
  readonly waves?: { readonly period: number; readonly harmonics: number };
}

/** A fitted autoregression. */
export interface Autoregression extends Forecaster {
  readonly lags: readonly number[];
  /** Of 1, the cosines and sines of the waves, and the lags. */
  readonly coefficients: Float64Array;
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
  const { maxLag, season = 0, waves = { period: 1, harmonics: 0 } } = options;
  checkSeason(season, "autoregression", 0);
  const largest = Math.max(maxLag, season);
  const known = values.length - largest;
  const most = 2 + maxLag + 2 * waves.harmonics;
  if (!(Number.isSafeInteger(maxLag) && maxLag >= 1) || known <= most) {
    throw new RangeError(
      `autoregression: ${maxLag} lags and a season of ${season} need whole numbers and more than ${largest + most} values, got ${values.length}`,
    );
  }
  const target = values.subarray(largest);
  const candidates = Array.from({ length: maxLag }, (_, i) => {
    const lags = Array.from({ length: i + 1 }, (_, l) => l + 1);
    if (season > i + 1) lags.push(season);
    const rows = Array.from(target, (_, t) => regressors(values, largest + t, lags, waves));
    const { coefficients, error } = leastSquares(rows, target);
    return { lags, coefficients, criterion: known * Math.log(error) + 2 * coefficients.length };
  });
  const { lags, coefficients } = candidates.reduce((a, b) => (b.criterion < a.criterion ? b : a));
  return {
    name: `autoregression of ${lags.length} lags`,
    lags,
    coefficients,
    forecast(series, origins, horizon) {
      checkOrigins(series, origins, horizon, lags.at(-1)!, "autoregression");
      return origins.map((origin) => {
        const all = new Float64Array(origin + horizon);
        all.set(series.subarray(0, origin));
        for (let t = origin; t < all.length; t++) {
          const row = regressors(all, t, lags, waves);
          all[t] = row.reduce((sum, x, i) => sum + x * coefficients[i]!, 0);
        }
        return all.slice(origin);
      });
    },
  };
}

function regressors(
  values: Float64Array,
  t: number,
  lags: readonly number[],
  { period, harmonics }: NonNullable<AutoregressionOptions["waves"]>,
): Float64Array {
  const row = new Float64Array(1 + 2 * harmonics + lags.length);
  row[0] = 1;
  for (let k = 1; k <= harmonics; k++) {
    const angle = (2 * Math.PI * k * (t % period)) / period;
    row[2 * k - 1] = Math.cos(angle);
    row[2 * k] = Math.sin(angle);
  }
  lags.forEach((lag, i) => {
    row[1 + 2 * harmonics + i] = values[t - lag]!;
  });
  return row;
}
