import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nGram } from "../../src/text/nGram.ts";

const symbols = 3;
const texts = fc.array(fc.integer({ min: 0, max: symbols - 1 }), { minLength: 0, maxLength: 40 });
const orders = fc.integer({ min: 1, max: 4 });

/** The same by its definition, on strings: counts by looking through the text each time. */
function defined(text: string, order: number) {
  const grams = (length: number) =>
    Array.from({ length: Math.max(0, text.length - length + 1) }, (_, i) =>
      text.slice(i, i + length),
    );
  // Contexts at the start of the text are shorter, and nothing stands before them.
  const before = `^${text}`;
  const count = (gram: string): number => {
    if (gram.length === order) return grams(order).filter((each) => each === gram).length;
    const different = new Set<string>();
    for (let i = 0; i + gram.length < before.length; i++) {
      if (before.slice(i + 1, i + 1 + gram.length) === gram) different.add(before[i]!);
    }
    return different.size;
  };
  const discount = (length: number): number => {
    const counts = [...new Set(grams(length))].map(count);
    const [ones, twos] = [1, 2].map((n) => counts.filter((each) => each === n).length);
    return ones! > 0 && twos! > 0 ? ones! / (ones! + 2 * twos!) : 0.5;
  };
  const p = (context: string, x: string): number => {
    const lower = context === "" ? 1 / symbols : p(context.slice(1), x);
    const after = [..."012"].map((y) => count(context + y));
    const total = after.reduce((sum, n) => sum + n, 0);
    if (total === 0) return lower;
    const d = discount(context.length + 1);
    const types = after.filter((n) => n > 0).length;
    return (Math.max(0, count(context + x) - d) + d * types * lower) / total;
  };
  return p;
}

describe("laws", () => {
  test("after any context the probabilities add up to 1, and none is 0", () => {
    fc.assert(
      fc.property(texts, orders, texts, (text, order, context) => {
        const model = nGram(text, { order, symbols });
        const all = [0, 1, 2].map((x) => model.probability([...context, x], context.length));
        expect(all.reduce((sum, p) => sum + p)).toBeCloseTo(1, 12);
        expect(Math.min(...all)).toBeGreaterThan(0);
      }),
    );
  });

  test("are those of the definition", () => {
    fc.assert(
      fc.property(texts, orders, texts, (text, order, other) => {
        const losses = nGram(text, { order, symbols }).losses(other);
        const p = defined(text.join(""), order);
        for (const [t, x] of other.entries()) {
          const context = other.slice(Math.max(0, t - order + 1), t).join("");
          expect(Math.exp(-losses[t]!)).toBeCloseTo(p(context, String(x)), 10);
        }
      }),
    );
  });

  test("of independent symbols it learns their entropy", () => {
    // Symbols with probabilities 1/2, 1/4, 1/4 from a linear congruential generator.
    let seed = 1;
    const draw = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      const u = seed / 2 ** 32;
      return u < 0.5 ? 0 : u < 0.75 ? 1 : 2;
    };
    const text = Int32Array.from({ length: 40_000 }, draw);
    const losses = nGram(text.subarray(0, 30_000), { order: 2, symbols }).losses(
      text.subarray(30_000),
    );
    const bits = losses.reduce((sum, x) => sum + x, 0) / losses.length / Math.LN2;
    expect(bits).toBeCloseTo(1.5, 1);
  });
});

test("errors are sentences", () => {
  expect(() => nGram([0], { order: 0, symbols })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: nGram: order must be a whole number of at least 1, got 0]`,
  );
  expect(() => nGram([0], { order: 2, symbols: 0.5 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: nGram: symbols must be a whole number of at least 1, got 0.5]`,
  );
  expect(() => nGram([0], { order: 40, symbols: 90 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: nGram: 90 symbols have too many contexts of 39 for numbers to name; choose a smaller order]`,
  );
  expect(() => nGram([0, 3], { order: 2, symbols })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: nGram: code 1 must be a whole number from 0 to 2, got 3]`,
  );
  expect(() =>
    nGram([0], { order: 2, symbols }).losses([Number.NaN]),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: nGram: code 0 must be a whole number from 0 to 2, got NaN]`,
  );
});
