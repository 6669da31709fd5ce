import fc from "fast-check";
import { expect, test } from "vitest";
import { logarithm } from "../../src/rng/logarithm.ts";

test("it is the natural logarithm to within a few roundings", () => {
  const inside = fc.double({ min: 2 ** -110, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(inside, (x) => {
      const expected = Math.log(x);
      expect(Math.abs(logarithm(x) - expected)).toBeLessThanOrEqual(
        4 * Number.EPSILON * Math.max(Math.abs(expected), 2 ** -52),
      );
    }),
    { numRuns: 2000 },
  );
});
