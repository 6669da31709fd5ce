import fc from "fast-check";
import { expect, test } from "vitest";
import { accuracy } from "../../src/metrics.ts";

const classes = fc.array(fc.integer({ min: -3, max: 9 }), { minLength: 1 });

test("is 1 for the targets, 0 where all are moved, and the share of those that are kept", () => {
  fc.assert(
    fc.property(classes, fc.nat(), (targets, n) => {
      const wrong = n % (targets.length + 1);
      const moved = Int32Array.from(targets, (target, i) => (i < wrong ? target + 1 : target));
      expect(accuracy(moved, targets)).toBe((targets.length - wrong) / targets.length);
      expect(accuracy(targets, moved)).toBe(accuracy(moved, targets));
    }),
  );
});

test("what is no list of classes is refused", () => {
  const refuse = (predictions: unknown, targets: unknown) =>
    expect(() => accuracy(predictions as number[], targets as number[]));
  refuse([1, 2], [1]).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: accuracy: expected as many predictions as targets, and at least one, got 2 and 1]`,
  );
  refuse([], []).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: accuracy: expected as many predictions as targets, and at least one, got 0 and 0]`,
  );
  refuse(undefined, [1]).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: accuracy: expected as many predictions as targets, and at least one, got undefined and 1]`,
  );
  refuse(1, 1).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: accuracy: expected as many predictions as targets, and at least one, got undefined and undefined]`,
  );
  refuse([Number.NaN], [1]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: accuracy: predictions must be whole numbers, got NaN at index 0; give the class, as argmax does, and not its score]`,
  );
  refuse([1], [0.7]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: accuracy: targets must be whole numbers, got 0.7 at index 0; give the class, as argmax does, and not its score]`,
  );
  refuse("1", "1").toThrowErrorMatchingInlineSnapshot(
    `[TypeError: accuracy: predictions must be whole numbers, got "1" at index 0; give the class, as argmax does, and not its score]`,
  );
});
