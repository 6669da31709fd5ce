import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pairwiseSum } from "../../src/tensor/pairwiseSum.ts";

/** The definition: both sides of the largest power of two below the number of parts. */
function defined<T>(parts: readonly T[], add: (a: T, b: T) => T): T {
  if (parts.length === 1) return parts[0]!;
  let middle = 1;
  while (2 * middle < parts.length) middle *= 2;
  return add(defined(parts.slice(0, middle), add), defined(parts.slice(middle), add));
}

const written = (a: string, b: string) => `(${a}+${b})`;

test("the order, written out", () => {
  const orders = ["a", "ab", "abc", "abcd", "abcde", "abcdefg"].map((letters) =>
    pairwiseSum([...letters], written),
  );
  expect(orders).toEqual([
    "a",
    "(a+b)",
    "((a+b)+c)",
    "((a+b)+(c+d))",
    "(((a+b)+(c+d))+e)",
    "(((a+b)+(c+d))+((e+f)+g))",
  ]);
});

test("it is the definition's, for any number of parts", () => {
  for (let n = 1; n <= 70; n++) {
    const parts = Array.from({ length: n }, (_, i) => String(i));
    expect(pairwiseSum(parts, written)).toBe(defined(parts, written));
  }
});

describe("groups of a power of two give the bits of their parts", () => {
  const adds = {
    float64: (a: number, b: number) => a + b,
    float32: (a: number, b: number) => Math.fround(a + b),
  };

  test.each(["float32", "float64"] as const)("%s", (dtype) => {
    const add = adds[dtype];
    // Magnitudes apart, so that the order shows.
    const value = fc
      .tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: -6, max: 6 }))
      .map(([x, e]) => (dtype === "float32" ? Math.fround(x * 10 ** e) : x * 10 ** e));
    const drawn = fc.array(value, { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(drawn, fc.constantFrom(1, 2, 4, 8, 16), (values, group) => {
        const groups: number[] = [];
        for (let i = 0; i < values.length; i += group) {
          groups.push(pairwiseSum(values.slice(i, i + group), add));
        }
        const whole = pairwiseSum(values, add);
        expect(Object.is(pairwiseSum(groups, add), whole)).toBe(true);
        expect(Object.is(defined(values, add), whole)).toBe(true);
      }),
    );
  });
});

test("what is added up stays as it is", () => {
  const parts = [1, 2, 3];
  pairwiseSum(parts, (a, b) => a + b);
  expect(parts).toEqual([1, 2, 3]);
});
