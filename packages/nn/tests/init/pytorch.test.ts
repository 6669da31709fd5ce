import { describe, expect, test } from "vitest";
import { init, initialize, rng } from "../../src/index.ts";

const { pytorch } = init;

/** Mean, variance and largest size of many draws. */
function moments(x: Float64Array) {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
  return { mean, variance, largest: Math.max(...x.map(Math.abs)) };
}

describe("what PyTorch starts with", () => {
  // A uniform number within the limit a has mean 0 and variance a^2 / 3; 20,000 draws of it have a
  // mean within 5 a / sqrt(60,000) of that, but for one in a million.
  test.each([
    ["linear", pytorch.linear(100, 200), 100],
    ["linearBias", pytorch.linearBias(9, 20_000), 9],
    ["recurrent", pytorch.recurrent(64, 100, 200), 64],
  ] as const)("%s is uniform within 1 / sqrt of its units", (_name, initializer, units) => {
    const limit = 1 / Math.sqrt(units);
    const { mean, variance, largest } = moments(initializer.draw(rng(3)));
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBeGreaterThan(0.999 * limit);
    expect(Math.abs(mean)).toBeLessThan((5 * limit) / Math.sqrt(60_000));
    expect(variance / (limit ** 2 / 3)).toBeCloseTo(1, 1);
  });

  test("embedding is standard normal", () => {
    const { mean, variance, largest } = moments(pytorch.embedding(100, 200).draw(rng(3)));
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(20_000));
    expect(variance).toBeCloseTo(1, 1);
    expect(largest).toBeGreaterThan(3);
  });

  test("shapes are those of the parameters here", () => {
    const drawn = initialize(
      {
        W: pytorch.linear(3, 4),
        b: pytorch.linearBias(3, 4),
        table: pytorch.embedding(5, 2),
        U: pytorch.recurrent(4, 4, 12),
      },
      rng(1),
    );
    expect(Object.values(drawn).map(({ shape }) => shape)).toEqual([[3, 4], [4], [5, 2], [4, 12]]);
  });

  test("lengths that are none are refused", () => {
    expect(() => pytorch.linear(0, 2)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: pytorch.linear: shape [0] has length 0; expected whole numbers of at least 1]`,
    );
    expect(() => pytorch.linearBias(2, 2.5)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: pytorch.linearBias: shape [2.5] has length 2.5; expected whole numbers of at least 1]`,
    );
    expect(() => pytorch.embedding(-1, 2)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: pytorch.embedding: shape [-1,2] has length -1; expected whole numbers of at least 1]`,
    );
    expect(() => pytorch.recurrent(Number.NaN, 2)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: pytorch.recurrent: shape [NaN] has length NaN; expected whole numbers of at least 1]`,
    );
    expect(() => pytorch.recurrent([4] as never, 2)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: pytorch.recurrent: give lengths one by one: init.pytorch.recurrent(4), not as an array [4]]`,
    );
  });
});
