import { rmse } from "@chronograd/nn/metrics";
import { conformal, type Interval, type Predicted } from "./conformal.ts";

/** Origins from where `horizon` values are known, in a part of a series. */
export function originsIn(from: number, to: number, horizon: number): number[] {
  return Array.from({ length: Math.max(0, to - from - horizon + 1) }, (_, i) => from + i);
}

/** The root mean squared error over all origins and steps. */
export function rollingRmse(
  values: Float64Array,
  origins: readonly number[],
  forecasts: readonly Float64Array[],
): number {
  const actual = origins.flatMap((t, i) => [...values.subarray(t, t + forecasts[i]!.length)]);
  return rmse(
    forecasts.flatMap((forecast) => [...forecast]),
    actual,
  );
}

/** The interval from the lower of two lower ends to the higher of the upper ones, step by step. */
const hull = (a: Interval, b: Interval): Interval => ({
  lower: a.lower.map((x, h) => Math.min(x, b.lower[h]!)),
  upper: a.upper.map((x, h) => Math.max(x, b.upper[h]!)),
});

/**
 * Conformal intervals of several levels, each of which takes in those of lower levels.
 *
 * @param rate how fast the levels follow misses
 */
export function nestedIntervals(
  values: Float64Array,
  forecasts: readonly Predicted[],
  levels: readonly number[],
  rate: number,
): { readonly level: number; readonly intervals: readonly Interval[] }[] {
  const apart = levels.map((level) => ({
    level,
    intervals: conformal(values, forecasts, { level, rate }),
  }));
  // Each level follows its own misses and may cross another.
  return levels.map((level) => ({
    level,
    intervals: apart
      .filter((lower) => lower.level <= level)
      .map(({ intervals }) => intervals)
      .reduce((all, others) => all.map((interval, i) => hull(interval, others[i]!))),
  }));
}
