import fc from "fast-check";
import { expect, test } from "vitest";
import { coverage, meanAbsoluteError, rmse } from "../../src/metrics.ts";

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const pairs = fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 30 });

test("rmse is the norm of the errors over the root of their number, mean absolute error their mean", () => {
  fc.assert(
    fc.property(pairs, (both) => {
      const predictions = both.map(([p]) => p);
      const targets = Float64Array.from(both, ([, t]) => t);
      const errors = both.map(([p, t]) => Math.abs(p - t));
      const root = Math.hypot(...errors) / Math.sqrt(errors.length);
      expect(Math.abs(rmse(predictions, targets) - root)).toBeLessThanOrEqual(1e-12 * root);
      const mean = errors.reduce((a, b) => a + b) / errors.length;
      const absolute = meanAbsoluteError(predictions, targets);
      expect(Math.abs(absolute - mean)).toBeLessThanOrEqual(1e-12 * mean);
      // The mean is at most the root mean square (Cauchy and Schwarz).
      expect(absolute).toBeLessThanOrEqual(rmse(predictions, targets) * (1 + 1e-12));
    }),
  );
});

test("rmse of huge and tiny errors neither overflows nor vanishes", () => {
  expect(rmse([3e300, 4e300], [0, 0]) / 1e300).toBeCloseTo(Math.sqrt(12.5), 12);
  expect(rmse([3e-300, 4e-300], [0, 0]) / 1e-300).toBeCloseTo(Math.sqrt(12.5), 12);
  expect(rmse([2, 2], [2, 2])).toBe(0);
  expect(rmse([Number.POSITIVE_INFINITY, 2], [2, 2])).toBe(Number.POSITIVE_INFINITY);
  expect(meanAbsoluteError([1e308, -1e308], [0, 0])).toBe(1e308);
});

test("coverage counts the targets between the ends, which belong to the interval", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(number, number, number), { minLength: 1 }), (rows) => {
      const [lower, upper, targets] = [0, 1, 2].map((i) => rows.map((row) => row[i]!));
      const inside = rows.filter(([a, b, t]) => !(t < a || t > b)).length;
      expect(coverage(lower!, upper!, targets!)).toBe(inside / rows.length);
      expect(coverage(targets!, targets!, targets!)).toBe(1);
    }),
  );
});

test("what is no list of numbers is refused", () => {
  const refused = (...lists: unknown[]) => expect(() => coverage(...(lists as [[], [], []])));
  refused([1, 2], [2, 3], [1]).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: coverage: lower, upper, targets must have one length of at least 1, got 2, 2, 1]`,
  );
  refused([], [], []).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: coverage: lower, upper, targets must have one length of at least 1, got 0, 0, 0]`,
  );
  refused([1], undefined, [1]).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: coverage: lower, upper, targets must have one length of at least 1, got 1, undefined, 1]`,
  );
  refused([0], [1], [Number.NaN]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: coverage: targets must be numbers, got NaN at index 0; leave out what is missing, in all lists]`,
  );
  refused([0], ["1"], [1]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: coverage: upper must be numbers, got "1" at index 0; leave out what is missing, in all lists]`,
  );
  expect(() => rmse([1, 2], [1])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: rmse: predictions, targets must have one length of at least 1, got 2, 1]`,
  );
  expect(() => rmse([1], [Number.NaN])).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: rmse: targets must be numbers, got NaN at index 0; leave out what is missing, in all lists]`,
  );
  expect(() => meanAbsoluteError([], [])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: meanAbsoluteError: predictions, targets must have one length of at least 1, got 0, 0]`,
  );
});
