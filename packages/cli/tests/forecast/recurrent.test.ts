import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { autoregression, compare, recurrent, seasonalNaive } from "../../src/forecast.ts";

const random = rng(7);
const noise = Float64Array.from({ length: 400 }, () => random.normal());
/**
 * A switch that no linear method follows: x[t] = 2 |x[t - 1]| - 1.9, chaotic, with a little noise.
 */
const tent = new Float64Array(400);
for (let t = 1; t < 400; t++) tent[t] = 1 - 1.9 * Math.abs(tent[t - 1]!) + 0.01 * noise[t]!;

const base = autoregression(tent.subarray(0, 300), { maxLag: 2 });
const options = { base, least: 2, horizon: 2, period: 1, window: 8, hidden: 12, seed: 3 };
const small = { ...options, members: 2, epochs: 2 };
const origins = Array.from({ length: 90 }, (_, i) => 305 + i);
const squares = (forecasts: readonly Float64Array[], h: number) =>
  forecasts.reduce((sum, x, i) => sum + (tent[origins[i]! + h]! - x[h]!) ** 2, 0) / origins.length;

describe("recurrent", () => {
  const model = recurrent(tent.subarray(0, 300), small);

  test("learns what the base cannot", () => {
    const trained = recurrent(tent.subarray(0, 300), { ...options, members: 1, epochs: 60 });
    const linear = squares(base.forecast(tent, origins, 2), 0);
    expect(squares(trained.forecast(tent, origins, 2), 0)).toBeLessThan(0.5 * linear);
  });

  test("reads nothing from its origin on, and forecasts each origin as it would alone", () => {
    const both = model.predict(tent, [310, 320], 2);
    for (const { origin, mean, below, above } of both) {
      const hidden = tent.map((x, t) => (t < origin ? x : Number.NaN));
      const [alone] = model.predict(hidden, [origin], 2);
      mean.forEach((x, h) => {
        expect(alone!.mean[h]!).toBeCloseTo(x, 5);
        expect(alone!.above[h]!).toBeCloseTo(above[h]!, 5);
        expect(below[h]!).toBe(above[h]!);
        expect(above[h]!).toBeGreaterThan(0);
      });
    }
  });

  test("is the same from the same seed, and another from another", () => {
    const again = recurrent(tent.subarray(0, 300), small).predict(tent, [310], 2);
    expect(again).toEqual(model.predict(tent, [310], 2));
    const other = recurrent(tent.subarray(0, 300), { ...small, seed: 4 }).predict(tent, [310], 2);
    expect(other).not.toEqual(again);
  });

  test("knows no scale: a series in other units has the same forecasts in those", () => {
    const scaled = tent.map((x) => 1e6 * x);
    const moved = recurrent(scaled.subarray(0, 300), {
      ...small,
      base: autoregression(scaled.subarray(0, 300), { maxLag: 2 }),
    });
    const [plain, other] = [model.predict(tent, [310], 2), moved.predict(scaled, [310], 2)];
    other[0]!.mean.forEach((x, h) => {
      expect(Math.abs(x / 1e6 - plain[0]!.mean[h]!)).toBeLessThan(1e-4);
    });
  });

  test("with quantiles, knows that errors above are larger than those below", () => {
    // Nothing but exponential noise: the median is log 2, the quantiles are -log 0.9 and log 10.
    const exponential = Float64Array.from({ length: 400 }, () => -Math.log(1 - random.uniform()));
    const mean = autoregression(exponential.subarray(0, 300), { maxLag: 1 });
    const trained = recurrent(exponential.subarray(0, 300), {
      ...{ ...small, base: mean, least: 1, head: "quantiles", epochs: 80, hidden: 4, members: 1 },
    });
    const all = trained.predict(exponential, origins, 1);
    const average = (of: (each: (typeof all)[0]) => Float64Array) =>
      all.reduce((sum, each) => sum + of(each)[0]!, 0) / all.length;
    const middle = average((each) => each.mean);
    expect(Math.abs(middle - Math.log(2))).toBeLessThan(0.2);
    expect(Math.abs(middle - average((each) => each.below) + Math.log(0.9))).toBeLessThan(0.2);
    expect(Math.abs(middle + average((each) => each.above) - Math.log(10))).toBeLessThan(0.4);
  });

  test("refuses in a sentence", () => {
    const wrong = { ...small, head: "median" as never };
    expect(() => recurrent(tent.subarray(0, 300), wrong)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: recurrent: head must be gaussian or quantiles, got "median"]`,
    );
    expect(() => recurrent(tent.subarray(0, 30), small)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: recurrent: 30 values make 19 windows of 8 and 2 steps after 2, expected at least 20; take a shorter window or horizon]`,
    );
    expect(() => model.predict(tent, [310], 3)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: recurrent: it was trained for 2 steps, and cannot forecast 3]`,
    );
    expect(() => model.predict(tent, [5], 2)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: recurrent: an origin must be a whole number from 10, the values that a forecast needs, to 400, got 5]`,
    );
    const gap = tent.with(20, Number.NaN);
    expect(() => recurrent(gap.subarray(0, 300), small)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: recurrent: values must be finite numbers, got NaN at index 20; fill what is missing, as timeSeries does]`,
    );
  });
});

test("compare scores every method over the same held-out values", () => {
  const season = Float64Array.from({ length: 300 }, (_, t) => [4, 0, -4, 0][t % 4]! + noise[t]!);
  const sizes = { season: 4, horizon: 3, validation: 160, test: 230 };
  const budget = { levels: [0.8, 0.5], members: 1, epochs: 1, seed: 1 };
  const result = compare(season, { ...sizes, ...budget });
  expect(result.baselines.map(({ name }) => name.replace(/\d+/, "N"))).toEqual([
    "seasonal-naive",
    "Holt-Winters",
    "autoregression of N lags",
    "mean of autoregression of N lags and Holt-Winters",
  ]);
  // Of seasonal-naive: noise of two draws.
  const naive = seasonalNaive({ season: 4 });
  const at = Array.from({ length: 68 }, (_, i) => 230 + i);
  const errors = naive
    .forecast(season, at, 3)
    .flatMap((x, i) => [...x].map((value, h) => (value - season[at[i]! + h]!) ** 2));
  expect(result.baselines[0]!.rmse).toBeCloseTo(
    Math.sqrt(errors.reduce((a, b) => a + b) / errors.length),
    10,
  );
  expect(result.forecasts).toHaveLength(69);
  expect(result.forecasts.at(-1)!.origin).toBe(300);
  const [wide, narrow] = result.intervals;
  expect(Math.abs(wide!.coverage - 0.8)).toBeLessThan(0.1);
  expect(Math.abs(narrow!.coverage - 0.5)).toBeLessThan(0.1);
  wide!.intervals.forEach(({ lower, upper }, i) => {
    lower.forEach((x, h) => {
      expect(x).toBeLessThanOrEqual(narrow!.intervals[i]!.lower[h]!);
      expect(upper[h]!).toBeGreaterThanOrEqual(narrow!.intervals[i]!.upper[h]!);
    });
  });
});
