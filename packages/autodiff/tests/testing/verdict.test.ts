import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { derivativeError, differences } from "../../src/testing.ts";

/** The derivative at 0 of a function, as `derivativeError` takes it. */
function numericOf(f: (s: number) => number) {
  const { values, uncertainties, steepest, sizes } = differences((s) => [f(s)], 1e-3);
  return {
    value: values[0]!,
    uncertainty: uncertainties[0]!,
    steepest: steepest[0]!,
    natural: sizes[0]!,
  };
}

describe("derivativeError", () => {
  test("is relative to the derivative itself where it is wrong, however large its neighbours", () => {
    const numeric = numericOf(Math.exp);
    for (const scale of [0, 1, 1e3]) {
      expect(derivativeError(2, numeric, scale, 1e-7)).toBeCloseTo(0.5, 9);
      expect(derivativeError(1 + 1e-5, numeric, scale, 1e-7)).toBeCloseTo(1e-5, 9);
    }
  });

  test("is at most the tolerance where it is right", () => {
    expect(derivativeError(1, numericOf(Math.exp), 1, 1e-7)).toBeLessThan(1e-9);
    expect(derivativeError(0, numericOf(Math.cos), 0, 1e-7)).toBe(0);
    expect(derivativeError(0.9, numericOf(Math.exp), 1, 1e-7, 0.2)).toBe(0);
  });

  test("is the same for a function and a multiple of it", () => {
    const size = fc.tuple(fc.integer({ min: -90, max: 90 }), fc.constantFrom(-1, 1));
    fc.assert(
      fc.property(size, fc.constantFrom(1, 1 + 1e-5, 2, -1), ([power, sign], off) => {
        const c = sign * 2 ** power;
        const plain = derivativeError(off, numericOf(Math.exp), 0, 1e-7);
        const scaled = numericOf((s) => c * Math.exp(s));
        expect(derivativeError(c * off, scaled, 0, 1e-7)).toBe(plain);
      }),
    );
  });

  test("is undefined where differences cannot tell, infinite for NaN", () => {
    expect(derivativeError(0, numericOf(Math.abs), 0, 1e-7)).toBeUndefined();
    expect(derivativeError(1, numericOf(Math.log), 1, 1e-7)).toBeUndefined();
    expect(derivativeError(Number.NaN, numericOf(Math.exp), 1, 1e-7)).toBe(Infinity);
  });
});
