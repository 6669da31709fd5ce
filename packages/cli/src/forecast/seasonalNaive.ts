import { checkOptions } from "../checkOptions.ts";
import { checkOrigins, checkSeason } from "./checks.ts";
import type { Forecaster } from "./forecaster.ts";

/**
 * Each value is the last one of its place in the season: `x[t + h] = x[t + h - m]`, the simplest
 * forecast that a better one has to beat (Hyndman & Athanasopoulos 2021, Forecasting, 5.2).
 *
 * @param options the steps m of a season; 1 repeats the last value
 *
 * @example
 * ```ts
 * import { seasonalNaive } from "chronograd/forecast";
 *
 * const values = Float64Array.of(9, 1, 2, 3);
 * const [next] = seasonalNaive({ season: 3 }).forecast(values, [4], 5);
 * [...next!]; // => [1, 2, 3, 1, 2]
 * ```
 */
export function seasonalNaive(options: { readonly season: number }): Forecaster {
  checkOptions("seasonalNaive", options, ["season"]);
  const { season } = options;
  checkSeason(season, "seasonalNaive");
  return {
    name: season === 1 ? "last value" : "seasonal-naive",
    forecast(values, origins, horizon) {
      checkOrigins(values, origins, horizon, season, "seasonalNaive");
      return origins.map((t) =>
        Float64Array.from({ length: horizon }, (_, h) => values[t - season + (h % season)]!),
      );
    },
  };
}
