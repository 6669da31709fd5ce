import type { Forecaster } from "./forecaster.ts";

/**
 * The mean of several forecasts, which is often better than any of them (Bates & Granger 1969, The
 * combination of forecasts).
 *
 * @throws for no forecasters at all
 *
 * @example
 * ```ts
 * import { combined, seasonalNaive } from "chronograd/forecast";
 *
 * const both = combined([seasonalNaive({ season: 1 }), seasonalNaive({ season: 2 })]);
 * both.name; // => "mean of last value and seasonal-naive"
 * const [next] = both.forecast(Float64Array.of(4, 8), [2], 2);
 * [...next!]; // => [6, 8]
 * ```
 */
export function combined(forecasters: readonly Forecaster[]): Forecaster {
  if (forecasters.length === 0) {
    throw new RangeError("combined: expected at least one forecaster, got none");
  }
  return {
    name: `mean of ${forecasters.map(({ name }) => name).join(" and ")}`,
    forecast(values, origins, horizon) {
      const all = forecasters.map((each) => each.forecast(values, origins, horizon));
      return origins.map((_, i) =>
        Float64Array.from({ length: horizon }, (_, h) => {
          const sum = all.reduce((total, forecasts) => total + forecasts[i]![h]!, 0);
          return sum / forecasters.length;
        }),
      );
    },
  };
}
