import { rng } from "@chronograd/nn";
import { coverage } from "@chronograd/nn/metrics";
import { describe, expect, test } from "vitest";
import { conformal, findSeason } from "../../src/forecast.ts";

/** Forecasts of 0 from every origin, of `steps` steps, with the scales 1. */
const zeros = (count: number, steps: number) =>
  Array.from({ length: count }, (_, origin) => ({
    origin,
    mean: new Float64Array(steps),
    below: new Float64Array(steps).fill(1),
    above: new Float64Array(steps).fill(1),
  }));

describe("conformal", () => {
  test("holds the wanted share of exchangeable errors, however wrong the scales are", () => {
    const random = rng(4);
    const values = Float64Array.from({ length: 2000 }, () => random.normal() ** 3);
    for (const level of [0.5, 0.8, 0.95]) {
      const wide = { below: Float64Array.of(20), above: Float64Array.of(40) };
      const forecasts = zeros(2000, 1).map((each) => ({ ...each, ...wide }));
      const intervals = conformal(values, forecasts, { level, window: 400 }).slice(400);
      const ends = (end: "lower" | "upper") => intervals.map((each) => each[end][0]!);
      const share = coverage(ends("lower"), ends("upper"), values.subarray(400));
      // Three standard deviations of a share of 1600.
      expect(Math.abs(share - level)).toBeLessThan(3 * Math.sqrt((level * (1 - level)) / 1600));
    }
  });

  test("is the order statistic of rank ceil((n + 1) level), or infinite", () => {
    const values = Float64Array.from({ length: 10 }, (_, t) => (t % 2 === 0 ? t : -t));
    const upper = (level: number) =>
      conformal(values, zeros(10, 1), { level }).map((each) => each.upper[0]!);
    // Errors before origin 9 are 0 to 8: nine of them.
    expect(upper(0.5).at(-1)).toBe(4);
    expect(upper(0.8).at(-1)).toBe(7);
    expect(upper(0.9).at(-1)).toBe(8);
    expect(upper(0.91).at(-1)).toBe(Number.POSITIVE_INFINITY);
    expect(upper(0.5)[0]).toBe(Number.POSITIVE_INFINITY);
  });

  test("reads no value from its origin on", () => {
    const random = rng(5);
    const values = Float64Array.from({ length: 30 }, () => random.normal());
    const hidden = values.map((x, t) => (t < 20 ? x : Number.NaN));
    const of = (x: Float64Array) => conformal(x, zeros(21, 4), { level: 0.7 })[20];
    expect(of(hidden)).toEqual(of(values));
    expect([...of(values)!.upper].every(Number.isFinite)).toBe(true);
  });

  test("is a quantile of the latest errors, as sorting them anew each time gives it", () => {
    const random = rng(11);
    const values = Float64Array.from({ length: 80 }, () => Math.round(4 * random.normal()));
    const found = conformal(values, zeros(80, 1), { level: 0.7, window: 9 });
    found.forEach(({ upper }, t) => {
      const latest = [...values.subarray(Math.max(0, t - 9), t)].map(Math.abs);
      const rank = Math.ceil((latest.length + 1) * 0.7 - 1e-9);
      const expected = latest.sort((a, b) => a - b)[rank - 1] ?? Number.POSITIVE_INFINITY;
      expect(upper[0]).toBe(expected);
    });
  });

  test("counts the latest errors of a window, in units of the scales", () => {
    const values = Float64Array.of(100, 1, 2, 3, 0);
    const forecasts = zeros(5, 1).map((each) => ({ ...each, mean: Float64Array.of(10) }));
    forecasts[4]!.below[0] = 2;
    forecasts[4]!.above[0] = 0.5;
    const last = conformal(values, forecasts, { level: 0.5, window: 3 })[4]!;
    // The errors 9, 8, 7 in window, of which the second.
    expect([last.lower[0], last.upper[0]]).toEqual([10 - 16, 10 + 4]);
  });

  test("with a rate, holds the wanted share of errors that grow without end", () => {
    const random = rng(8);
    const values = Float64Array.from({ length: 600 }, (_, t) => (1 + t / 100) * random.normal());
    const shareOf = (rate: number) => {
      const intervals = conformal(values, zeros(600, 3), { level: 0.8, rate }).slice(100, 597);
      const actual = intervals.flatMap((_, i) => [...values.subarray(100 + i, 103 + i)]);
      const ends = (end: "lower" | "upper") => intervals.flatMap((each) => [...each[end]]);
      return coverage(ends("lower"), ends("upper"), actual);
    };
    expect(shareOf(0)).toBeLessThan(0.7);
    // Of 497 values the share is within (1 + rate) / (497 rate) (Gibbs & Candes 2021, prop. 4.1).
    expect(Math.abs(shareOf(0.1) - 0.8)).toBeLessThan(1.1 / 49.7);
  });

  test("refuses in a sentence", () => {
    const refused = (
      options: { level: number; window?: number; rate?: number },
      reversed = false,
    ) => {
      const forecasts = reversed ? zeros(2, 1).reverse() : zeros(2, 1);
      return expect(() => conformal(new Float64Array(3), forecasts, options));
    };
    refused({ level: 80 }).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: conformal: level must be a share between 0 and 1, got 80]`,
    );
    refused({ level: Number.NaN }).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: conformal: level must be a share between 0 and 1, got NaN]`,
    );
    refused({ level: 0.8, window: 0 }).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: conformal: window must be a whole number of at least 1 error, got 0]`,
    );
    refused({ level: 0.8, rate: 1 }).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: conformal: rate must be at least 0 and below 1, got 1]`,
    );
    refused({ level: 0.8 }, true).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: conformal: origins must ascend, got 0 after 1]`,
    );
    expect(conformal(new Float64Array(3), [], { level: 0.8 })).toEqual([]);
  });
});

describe("findSeason", () => {
  const noisy = (length: number, at: (t: number) => number, noise: number) => {
    const random = rng(6);
    return Float64Array.from({ length }, (_, t) => at(t) + noise * random.normal());
  };
  const wave = (m: number) => (t: number) => Math.sin((2 * Math.PI * t) / m);

  test("finds it below noise and trend", () => {
    expect(findSeason(noisy(200, wave(12), 0.3))).toBe(12);
    expect(findSeason(noisy(300, (t) => 0.002 * t * t + wave(12)(t), 0.1))).toBe(12);
    expect(findSeason(noisy(1461, wave(365.25), 0.5), { unit: "day", count: 1 })).toBe(365);
    expect(
      findSeason(
        noisy(140, (t) => [0, 0, 0, 0, 0, 3, 4][t % 7]!, 0.5),
        { unit: "day", count: 1 },
      ),
    ).toBe(7);
    expect(findSeason(noisy(90, wave(9), 0.1), { unit: "day", count: 1 })).toBe(9);
  });

  test("finds none where there is none", () => {
    expect(findSeason(noisy(500, () => 0, 1))).toBe(1);
    expect(findSeason(noisy(500, (t) => t, 0.1))).toBe(1);
    expect(findSeason(new Float64Array(50))).toBe(1);
    expect(findSeason(Float64Array.of(1, 2))).toBe(1);
    let walk = 0;
    expect(findSeason(noisy(400, () => 0, 1).map((x) => (walk += x)))).toBe(1);
  });
});
