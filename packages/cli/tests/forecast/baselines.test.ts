import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import {
  autoregression,
  combined,
  type Forecaster,
  holtWinters,
  seasonalNaive,
} from "../../src/forecast.ts";

const series = (length: number, at: (t: number) => number) =>
  Float64Array.from({ length }, (_, t) => at(t));
const noise = (length: number, seed: number) => {
  const random = rng(seed);
  return series(length, () => random.normal());
};
function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, bound = 1e-8): void {
  expect(found).toHaveLength(expected.length);
  Array.from(found).forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(
      bound * Math.max(1, Math.abs(expected[i]!)),
    );
  });
}

const wave = [3, 1, -1, -3];
const random = noise(60, 1);
const noisy = series(60, (t) => 10 + 0.1 * t + wave[t % 4]! + 0.3 * random[t]!);
const models: [string, Forecaster][] = [
  ["seasonalNaive", seasonalNaive({ season: 4 })],
  ["autoregression", autoregression(noisy.subarray(0, 40), { maxLag: 3, season: 4 })],
  [
    "autoregression with waves",
    autoregression(noisy.subarray(0, 40), { maxLag: 2, waves: { period: 4.5, harmonics: 1 } }),
  ],
  ["holtWinters", holtWinters(noisy.subarray(0, 40), { season: 4, iterations: 10 })],
];

describe.each(models)("%s", (name, model) => {
  test("reads nothing from its origin on, and forecasts each origin as it would alone", () => {
    const origins = [40, 44, 47];
    const all = model.forecast(noisy, origins, 9);
    origins.forEach((t, i) => {
      expectClose(all[i]!, model.forecast(noisy.slice(0, t), [t], 9)[0]!, 1e-12);
      const other = noisy.map((x, at) => (at < t ? x : Number.NaN));
      expectClose(all[i]!, model.forecast(other, [t], 9)[0]!, 1e-12);
    });
  });

  test("follows scale and shift of the series", () => {
    const make = (values: Float64Array) =>
      name === "holtWinters"
        ? holtWinters(values, { season: 4, iterations: 10 })
        : name === "seasonalNaive"
          ? model
          : autoregression(values, { maxLag: 3, season: 4 });
    const moved = noisy.map((x) => 1000 * x - 500);
    const [plain, other] = [noisy, moved].map(
      (x) => make(x.subarray(0, 40)).forecast(x, [50], 6)[0]!,
    );
    expectClose(
      other!,
      plain!.map((x) => 1000 * x - 500),
      1e-6,
    );
  });

  test("refuses origins and horizons in a sentence", () => {
    expect(() => model.forecast(noisy, [61], 1)).toThrow(
      /an origin must be a whole number from \d+.* to 60, got 61/,
    );
    expect(() => model.forecast(noisy, [1], 1)).toThrow(
      /the values that a forecast needs.* got 1$/,
    );
    expect(() => model.forecast(noisy, [50], 0)).toThrow(
      /the horizon must be at least 1 step, got 0/,
    );
  });
});

test("values that are none are refused where a model is fitted", () => {
  const gap = noisy.with(30, Number.NaN);
  expect(() => autoregression(gap, { maxLag: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: autoregression: values must be finite numbers, got NaN at index 30; fill what is missing, as timeSeries does]`,
  );
  expect(() => holtWinters(noisy.with(3, 1 / 0), { season: 4 })).toThrow(
    /holtWinters: values must be finite numbers, got Infinity at index 3/,
  );
});

test("combined forecasts are the mean of those of its parts, at each origin and step", () => {
  const parts = models.map(([, model]) => model);
  const all = combined(parts).forecast(noisy, [41, 50], 5);
  const each = parts.map((part) => part.forecast(noisy, [41, 50], 5));
  all.forEach((forecast, i) => {
    const mean = forecast.map(
      (_, h) => each.reduce((sum, of) => sum + of[i]![h]!, 0) / each.length,
    );
    expectClose(forecast, mean, 1e-14);
  });
  expect(() => combined([])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: combined: expected at least one forecaster, got none]`,
  );
});

describe("seasonalNaive", () => {
  test("repeats the last season", () => {
    const [next] = seasonalNaive({ season: 3 }).forecast(
      series(8, (t) => t),
      [8],
      7,
    );
    expect([...next!]).toEqual([5, 6, 7, 5, 6, 7, 5]);
  });
});

describe("autoregression", () => {
  test("recovers the coefficients of a noiseless recursion of two lags", () => {
    const values = new Float64Array(40);
    values.set([1, 2]);
    for (let t = 2; t < 40; t++) values[t] = 0.7 + 1.2 * values[t - 1]! - 0.9 * values[t - 2]!;
    const model = autoregression(values.subarray(0, 30), { maxLag: 2 });
    expect(model.lags).toEqual([1, 2]);
    expectClose(model.coefficients, [0.7, 1.2, -0.9]);
    expectClose(model.forecast(values, [30], 10)[0]!, values.subarray(30));
  });

  test("forecasts a noiseless recursion rightly with more lags than it has", () => {
    const values = series(60, (t) => Math.cos(0.7 * t) + 3);
    const model = autoregression(values.subarray(0, 40), { maxLag: 6 });
    expectClose(model.forecast(values, [40], 20)[0]!, values.subarray(40), 1e-6);
  });

  test("finds the coefficients of a season, a wave and a lag", () => {
    const e = noise(4000, 2);
    const values = new Float64Array(4000);
    for (let t = 0; t < 4000; t++) {
      const angle = (2 * Math.PI * t) / 30.5;
      values[t] =
        1 +
        2 * Math.cos(angle) -
        Math.sin(angle) +
        0.5 * (values[t - 1] ?? 0) +
        0.3 * (values[t - 7] ?? 0) +
        0.1 * e[t]!;
    }
    const { lags, coefficients } = autoregression(values, {
      maxLag: 1,
      season: 7,
      waves: { period: 30.5, harmonics: 1 },
    });
    expect(lags).toEqual([1, 7]);
    expectClose(coefficients, [1, 2, -1, 0.5, 0.3], 0.03);
  });

  test("chooses the number of lags by the information criterion", () => {
    const e = noise(2000, 3);
    const values = new Float64Array(2000);
    for (let t = 3; t < 2000; t++) values[t] = 0.5 * values[t - 1]! - 0.4 * values[t - 3]! + e[t]!;
    const { lags } = autoregression(values, { maxLag: 8 });
    expect(lags.length).toBeGreaterThanOrEqual(3);
    expect(lags.length).toBeLessThanOrEqual(5);
    expect(autoregression(e, { maxLag: 1 }).coefficients[1]!).toBeCloseTo(0, 1);
  });

  test("a large offset changes neither lags nor errors", () => {
    const e = noise(300, 4);
    const values = new Float64Array(300);
    for (let t = 3; t < 300; t++) values[t] = 0.5 * values[t - 1]! - 0.4 * values[t - 3]! + e[t]!;
    const plain = autoregression(values, { maxLag: 6 });
    const offset = 2 ** 40;
    const moved = values.map((x) => x + offset);
    const other = autoregression(moved, { maxLag: 6 });
    expect(other.lags).toEqual(plain.lags);
    const [near, far] = [plain.forecast(values, [300], 5)[0]!, other.forecast(moved, [300], 5)[0]!];
    // float64 holds values of this size to 1.2e-4.
    for (const [h, x] of far.entries()) expect(Math.abs(x - offset - near[h]!)).toBeLessThan(1e-3);
  });

  test("repeats a constant, however large", () => {
    for (const x of [0, 5, -1e12, 1e-12]) {
      const values = series(30, () => x);
      const [next] = autoregression(values, { maxLag: 3 }).forecast(values, [30], 3);
      expectClose(next!, [x, x, x], 1e-9);
    }
  });

  test("refuses too few values", () => {
    const few = series(9, (t) => t * t);
    expect(() => autoregression(few, { maxLag: 4 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: autoregression: 4 lags and a season of 1 need whole numbers and more than 10 values, got 9]`,
    );
    expect(() => autoregression(few, { maxLag: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: autoregression: 0 lags and a season of 1 need whole numbers and more than 3 values, got 9]`,
    );
    expect(() =>
      autoregression(few, { maxLag: 1, season: 1.5 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: autoregression: season must be a whole number of at least 1, got 1.5]`,
    );
  });
});

describe("holtWinters", () => {
  /** The recursion in error form, written out (Hyndman & Athanasopoulos 2021, 8.3). */
  function byHand(values: Float64Array, m: number, a: number, b: number, c: number) {
    const mean = (from: number) => values.slice(from, from + m).reduce((s, x) => s + x, 0) / m;
    let level = mean(0);
    let trend = (mean(m) - level) / m;
    const season = [...values.slice(0, m)].map((x) => x - level);
    let squares = 0;
    for (let t = m; t < values.length; t++) {
      const seasonal = season[t % m]!;
      const error = values[t]! - level - trend - seasonal;
      squares += error ** 2;
      const before = level;
      level = a * (values[t]! - seasonal) + (1 - a) * (level + trend);
      season[t % m] = c * (values[t]! - level) + (1 - c) * seasonal;
      trend = b * (level - before) + (1 - b) * trend;
    }
    const next = (h: number) => level + (h + 1) * trend + season[(values.length + h) % m]!;
    return { squares, next };
  }

  test("is the recursion of level, trend and season in its textbook form", () => {
    const model = models[3]![1] as ReturnType<typeof holtWinters>;
    const { alpha, beta, gamma } = model.smoothing;
    for (const t of [17, 40, 58]) {
      const { next } = byHand(noisy.slice(0, t), 4, alpha, beta, gamma);
      expectClose(
        model.forecast(noisy, [t], 7)[0]!,
        Array.from({ length: 7 }, (_, h) => next(h)),
        1e-10,
      );
    }
  });

  test("makes the squared errors as small as a search over a grid does", () => {
    const { smoothing } = holtWinters(noisy, { season: 4 });
    const grid = Array.from({ length: 20 }, (_, i) => (i + 0.5) / 20);
    const least = Math.min(
      ...grid.flatMap((a) =>
        grid.flatMap((b) => grid.map((c) => byHand(noisy, 4, a, b, c).squares)),
      ),
    );
    const { alpha, beta, gamma } = smoothing;
    expect(byHand(noisy, 4, alpha, beta, gamma).squares).toBeLessThanOrEqual(1.01 * least);
  });

  test("continues a line with a season exactly", () => {
    const exact = series(28, (t) => 2 + 0.5 * t + [4, -1, -3][t % 3]!);
    // The season of the first three values holds a part of the trend, so the level finds it late.
    const [next] = holtWinters(exact.subarray(0, 24), { season: 3 }).forecast(exact, [24], 4);
    expectClose(next!, exact.subarray(24), 0.02);
  });

  test("refuses too few values", () => {
    expect(() =>
      holtWinters(
        series(8, (t) => t),
        { season: 4 },
      ),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: holtWinters: 8 values are less than two seasons of 4 and one more; take a shorter season]`,
    );
    expect(() =>
      holtWinters(
        series(8, (t) => t),
        { season: 1 },
      ),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: holtWinters: season must be a whole number of at least 2, got 1]`,
    );
  });
});
