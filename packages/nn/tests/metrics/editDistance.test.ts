import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, errorRate } from "../../src/metrics.ts";

/** The definition: the cheapest way to begin, and the rest. */
function defined(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return a.length + b.length;
  const [x, ...as] = a;
  const [y, ...bs] = b;
  const changed = defined(as, bs) + (x === y ? 0 : 1);
  return Math.min(changed, defined(as, b) + 1, defined(a, bs) + 1);
}

const sequence = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 });

test("the distance is that of its definition, and a metric", () => {
  fc.assert(
    fc.property(sequence, sequence, sequence, (a, b, c) => {
      const d = editDistance(a, b);
      expect(d).toBe(defined(a, b));
      expect(editDistance(b, a)).toBe(d);
      expect(d === 0).toBe(a.join() === b.join());
      expect(editDistance(a, c)).toBeLessThanOrEqual(d + editDistance(b, c));
    }),
  );
});

test("published pairs, typed arrays, code points and NaN", () => {
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("sunday", "saturday")).toBe(3);
  expect(editDistance("", "abc")).toBe(3);
  expect(editDistance("", "")).toBe(0);
  expect(editDistance("a🎻c", "abc")).toBe(1);
  expect(editDistance(Int32Array.of(1, 2), [1, 2, 3])).toBe(1);
  expect(editDistance([Number.NaN], [Number.NaN])).toBe(0);
});

test("the rate divides the sum of distances by the sum of lengths", () => {
  const pairs = fc.array(fc.tuple(sequence, sequence), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(pairs, (drawn) => {
      const symbols = drawn.reduce((sum, [, b]) => sum + b.length, 0);
      fc.pre(symbols > 0);
      const errors = drawn.reduce((sum, [a, b]) => sum + defined(a, b), 0);
      const [hypotheses, references] = [drawn.map(([a]) => a), drawn.map(([, b]) => b)];
      expect(errorRate(hypotheses, references)).toBe(errors / symbols);
    }),
  );
  expect(errorRate(["abc"], ["a"])).toBe(2);
});

test("errors are sentences", () => {
  expect(() => editDistance(1 as never, "a")).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: editDistance: the first argument must be a text or an array of symbols, got 1]`,
  );
  expect(() => editDistance("a", undefined as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: editDistance: the second argument must be a text or an array of symbols, got undefined]`,
  );
  expect(() => errorRate(["a"], ["a", "b"])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: errorRate: expected as many hypotheses as references, got 1 and 2]`,
  );
  expect(() => errorRate([], [])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: errorRate: references must have at least one symbol in all, got 0 without any]`,
  );
  expect(() => errorRate(["a"], undefined as never)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: errorRate: expected as many hypotheses as references, got 1 and undefined]`,
  );
});
