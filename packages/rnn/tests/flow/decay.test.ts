import { rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { decayOf } from "../../src/flow/decay.ts";
import { LagSamples } from "../../src/flow/lagSamples.ts";

/**
 * Norms of a product of random factors with mean 0.6, one for each step: overlapping, so dependent.
 */
function products(seed: number, steps: number, rows: number, lags: number): LagSamples {
  const random = rng(seed);
  const samples = new LagSamples(lags, rows);
  const all = Array.from({ length: rows }, (_, row) => row);
  const factors = Array.from({ length: steps + 1 }, () =>
    all.map(() => 0.3 + 0.6 * random.uniform()),
  );
  for (let s = 1; s <= steps; s++) {
    samples.begin(s, all);
    let norms = all.map(() => 1);
    for (let tau = 0; tau <= Math.min(s, lags); tau++) {
      samples.add(s, norms);
      norms = norms.map((norm, row) => norm * factors[s - tau]![row]!);
    }
  }
  return samples;
}

test.each([
  ["steps", 400, 1],
  ["rows", 30, 20],
] as const)("intervals by batches of %s cover the means and the rate", (of, steps, rows) => {
  const runs = 200;
  let [rates, means] = [0, 0];
  for (let seed = 0; seed < runs; seed++) {
    const samples = products(seed, steps, rows, 6);
    const { interval, batches } = samples.means();
    expect(batches.of).toBe(of);
    const decay = decayOf(samples.batches().batches, 2)!;
    const covers = ([low, high]: readonly [number, number], value: number) =>
      Number(low <= value && value <= high);
    rates += covers(decay.interval!, 0.6);
    means += covers(interval![3]!, 0.6 ** 3);
  }
  // 95 % are asked for; a binomial of 200 has a standard deviation of 3, and batches are not quite
  // independent.
  for (const covered of [rates, means]) {
    expect(covered).toBeGreaterThanOrEqual(178);
    expect(covered).toBeLessThanOrEqual(199);
  }
});
