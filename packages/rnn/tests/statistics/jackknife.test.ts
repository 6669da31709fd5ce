import { rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { jackknife } from "../../src/statistics/jackknife.ts";
import { studentQuantile } from "../../src/statistics/studentQuantile.ts";

test("quantiles of Student's distribution are those of tables", () => {
  // Tables of the distribution (0.975), and for one degree tan(pi * 0.475), Cauchy's.
  for (const [degrees, t] of [
    [1, Math.tan(Math.PI * 0.475)],
    [2, 4.302652729749462],
    [3, 3.1824463052837078],
    [4, 2.7764451051977934],
    [9, 2.262157162798205],
    [30, 2.042272456301238],
    [1001, 1.962337],
  ] as const) {
    expect(studentQuantile(degrees, 0.95)).toBeCloseTo(t, 5);
  }
});

const single = (value: number) => ({ sums: Float64Array.of(value), count: 1 });

test("of a mean it is the standard error of the mean", () => {
  const values = [1, 4, 2, 8, 5, 7];
  const mean = 4.5;
  const error = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 5 / 6);
  const { standardError, interval } = jackknife(values.map(single), ([x]) => x!)!;
  expect(standardError).toBeCloseTo(error, 12);
  expect(interval[0] + interval[1]).toBeCloseTo(2 * mean, 12);
  expect((interval[1] - mean) / error).toBeCloseTo(2.5705818, 6);
});

test("fewer than two batches have none", () => {
  expect(jackknife([single(1)], ([x]) => x!)).toBe(null);
});

test("the interval of a logarithm of a mean covers in 95 of 100 cases", () => {
  const random = rng(1);
  let covered = 0;
  for (let i = 0; i < 1000; i++) {
    // Exponential with mean 1, so the logarithm of the mean is 0.
    const samples = Array.from({ length: 25 }, () => single(-Math.log(1 - random.uniform())));
    const [low, high] = jackknife(samples, ([x]) => Math.log(x!))!.interval;
    if (low <= 0 && 0 <= high) covered++;
  }
  expect(covered).toBeGreaterThan(920);
  expect(covered).toBeLessThan(975);
});
