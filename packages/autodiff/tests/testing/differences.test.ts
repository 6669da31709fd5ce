import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { differences, scatter } from "../../src/testing/differences.ts";

const small = fc.double({ min: -2, max: 2, noNaN: true });

describe("differences", () => {
  test("are exact for polynomials up to degree 6, and know that they are", () => {
    fc.assert(
      fc.property(fc.array(small, { minLength: 7, maxLength: 7 }), (c) => {
        const f = (s: number) => [c.reduceRight((sum, a) => sum * s + a, 0), 7 * s];
        const { values, uncertainties } = differences(f, 0.5);
        expect(values[0]).toBeCloseTo(c[1]!, 11);
        expect(values[1]).toBeCloseTo(7, 11);
        expect(uncertainties[1]).toBeLessThan(1e-11);
      }),
    );
  });

  test("of s^7, whose derivative is 0: a 64th of h^6, and an estimate that is larger", () => {
    // In units of h^6, d(h), d(h/2), d(h/4) are 1, 1/64, 1/4096; extrapolated once -5/16, -5/1024;
    // twice 1/64.
    const { values, uncertainties } = differences((s) => [s ** 7], 1);
    expect(values[0]).toBeCloseTo(1 / 64, 15);
    expect(uncertainties[0]).toBeCloseTo(4 * (1 / 64 + 5 / 1024), 14);
  });

  test("at a kink are the mean of both slopes, and half the jump uncertain", () => {
    fc.assert(
      fc.property(small, small, small, (left, right, at) => {
        fc.pre(Math.abs(left - right) > 1e-6);
        const { values, uncertainties } = differences(
          (s) => [at + (s < 0 ? left : right) * s],
          1e-3,
        );
        expect(values[0]).toBeCloseTo((left + right) / 2, 9);
        expect(uncertainties[0]).toBeCloseTo(Math.abs(left - right) / 2, 9);
      }),
    );
  });

  test("of smooth functions are certain", () => {
    fc.assert(
      fc.property(small, fc.double({ min: 0.5, max: 20, noNaN: true }), (x, rate) => {
        const { values, uncertainties } = differences(
          (s) => [Math.sin(rate * (x + s)), Math.exp(x + s)],
          1e-3,
        );
        expect(values[0]).toBeCloseTo(rate * Math.cos(rate * x), 7);
        expect(values[1]).toBeCloseTo(Math.exp(x), 9);
        expect(Math.max(...uncertainties)).toBeLessThan(1e-6);
      }),
    );
  });

  test("scale with the function, to the last bit for powers of two", () => {
    fc.assert(
      fc.property(small, fc.integer({ min: -100, max: 100 }), (x, k) => {
        const f = (s: number) => [Math.sin(x + s), Math.abs(x + s), Math.exp(-3 * s)];
        const [one, two] = [f, (s: number) => f(s).map((y) => y * 2 ** k)].map((g) =>
          differences(g, 2 ** -10),
        );
        for (const key of ["values", "uncertainties", "steepest", "sizes"] as const) {
          expect(two![key]).toEqual(one![key].map((value) => value * 2 ** k));
        }
      }),
    );
  });

  test("tell how steep the function is around, but for rounding", () => {
    const { steepest, sizes } = differences((s) => [s * s, 3, 1 + 1e-15 * s, 5 * s], 0.5);
    expect([...steepest]).toEqual([0.5, 0, 0, 5]);
    expect([...sizes]).toEqual([0.25, 3, 1 + 4.440892098500626e-16, 2.5]);
  });

  test("where the function jumps or has no value are not to be relied on", () => {
    const { uncertainties } = differences(
      (s) => [s > 0 ? 1 : 0, s < 0 ? Number.NaN : s, Math.log(s), s <= 0 ? 0 : 1e-5],
      1e-3,
    );
    expect(uncertainties[0]).toBeGreaterThan(100);
    expect(uncertainties[1]).toBeNaN();
    expect(uncertainties[2]).toBeNaN();
    expect(uncertainties[3]).toBeGreaterThan(1e-3);
  });
});

test("scattered numbers are spread over [-1, 1], and are those of their seed", () => {
  const draw = (seed: number, n = 4000) => {
    const random = scatter(seed);
    return Array.from({ length: n }, random);
  };
  for (const seed of [0, 1, 2, 12345, 2 ** 31]) {
    const xs = draw(seed);
    expect(draw(seed)).toEqual(xs);
    expect(draw(seed + 1, 10)).not.toEqual(xs.slice(0, 10));
    expect(Math.min(...xs)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...xs)).toBeLessThan(1);
    const mean = (f: (x: number, i: number) => number) =>
      xs.reduce((sum, x, i) => sum + f(x, i), 0) / xs.length;
    // Of the uniform distribution: mean 0, variance 1/3, neighbours uncorrelated; five standard
    // errors.
    expect(Math.abs(mean((x) => x))).toBeLessThan(0.046);
    expect(Math.abs(mean((x) => x * x) - 1 / 3)).toBeLessThan(0.024);
    expect(Math.abs(mean((x, i) => x * (xs[i + 1] ?? 0)))).toBeLessThan(0.027);
    expect(new Set(xs).size).toBeGreaterThan(3990);
  }
});
