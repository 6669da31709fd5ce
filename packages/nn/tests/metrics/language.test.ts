import fc from "fast-check";
import { expect, test } from "vitest";
import { bitsPerSymbol, perplexity } from "../../src/metrics.ts";

test("a fair choice among n has a perplexity of n and log2 n bits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 50 }), (n, symbols) => {
      const losses = new Float64Array(symbols).fill(Math.log(n));
      expect(perplexity(losses) / n).toBeCloseTo(1, 10);
      expect(bitsPerSymbol(losses)).toBeCloseTo(Math.log2(n), 10);
    }),
  );
});

test("the perplexity of a sequence is its probability to the power of minus one over its length", () => {
  const probabilities = [0.5, 0.125, 0.25];
  const losses = probabilities.map((p) => -Math.log(p));
  expect(perplexity(losses)).toBeCloseTo((1 / 64) ** (-1 / 3), 12);
  expect(bitsPerSymbol(losses)).toBeCloseTo(2, 12);
});

test("sums of several losses with their number are the same", () => {
  const losses = [0.1, 0.7, 1.3, 0.2];
  const sums = [0.1 + 0.7, 1.3 + 0.2];
  expect(bitsPerSymbol(sums, 4)).toBeCloseTo(bitsPerSymbol(losses), 12);
  expect(perplexity(sums, 4)).toBeCloseTo(perplexity(losses), 12);
});

test("what is impossible has no finite perplexity, and NaN stays", () => {
  expect(perplexity([1, Infinity])).toBe(Infinity);
  expect(bitsPerSymbol([1, Number.NaN])).toBeNaN();
});

test("errors are sentences", () => {
  expect(() => perplexity([])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: perplexity: losses are divided by how many symbols they are of, a finite number above 0, got 0]`,
  );
  expect(() => bitsPerSymbol([1], -1)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: bitsPerSymbol: losses are divided by how many symbols they are of, a finite number above 0, got -1]`,
  );
  expect(() => bitsPerSymbol(2 as never, 1)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: bitsPerSymbol: losses must be a list of numbers, in nats, got 2; one number goes into a list, as in bitsPerSymbol([total], symbols)]`,
  );
  expect(() => bitsPerSymbol(undefined as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: bitsPerSymbol: losses must be a list of numbers, in nats, got undefined; one number goes into a list, as in bitsPerSymbol([total], symbols)]`,
  );
});
