import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batches } from "../../src/data.ts";
import { rng } from "../../src/index.ts";

const counts = fc.integer({ min: 0, max: 60 });
const sizes = fc.integer({ min: 1, max: 20 });
const seeds = fc.maxSafeInteger();
const lengthsOf = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 });
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("an epoch", () => {
  test("has every example once, in full batches and a last one with the rest", () => {
    fc.assert(
      fc.property(counts, sizes, seeds, fc.boolean(), (count, size, seed, isDrawn) => {
        const order = isDrawn ? { rng: rng(seed) } : {};
        const epoch = Array.from(batches(upTo(count), { size, ...order }));
        expect(sorted(epoch.flat())).toEqual(upTo(count));
        expect(epoch.slice(0, -1).every((batch) => batch.length === size)).toBe(true);
        expect(epoch.length).toBe(Math.ceil(count / size));
        if (!isDrawn) expect(epoch.flat()).toEqual(upTo(count));
      }),
    );
  });

  test("with lengths has every example once, in the fewest batches, of lengths that do not overlap", () => {
    fc.assert(
      fc.property(lengthsOf, sizes, seeds, fc.boolean(), (lengths, size, seed, isDrawn) => {
        const order = isDrawn ? { rng: rng(seed) } : {};
        const length = (index: number) => lengths[index]!;
        const epoch = Array.from(batches(upTo(lengths.length), { size, length, ...order }));
        expect(sorted(epoch.flat())).toEqual(upTo(lengths.length));
        expect(epoch.length).toBe(Math.ceil(lengths.length / size));
        const ranges = epoch
          .map((batch) => sorted(batch.map(length)))
          .sort((a, b) => a[0]! - b[0]! || a.at(-1)! - b.at(-1)!);
        for (const [i, range] of ranges.entries()) {
          if (i > 0) expect(range[0]).toBeGreaterThanOrEqual(ranges[i - 1]!.at(-1)!);
        }
      }),
    );
  });

  test("with dropLast has full batches only, and leaves out fewer examples than one has", () => {
    fc.assert(
      fc.property(lengthsOf, sizes, seeds, (lengths, size, seed) => {
        fc.pre(lengths.length >= size);
        const length = (index: number) => lengths[index]!;
        const options = { size, length, rng: rng(seed), dropLast: true };
        const epoch = Array.from(batches(upTo(lengths.length), options));
        expect(epoch.every((batch) => batch.length === size)).toBe(true);
        expect(epoch.length).toBe(Math.floor(lengths.length / size));
        expect(new Set(epoch.flat()).size).toBe(epoch.length * size);
      }),
    );
  });
});

describe("the order", () => {
  const epochOf = (order: ReturnType<typeof rng>) =>
    Array.from(batches(upTo(50), { size: 7, rng: order }));

  test("depends on the seed alone, and is drawn afresh for each epoch", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const [a, b] = [rng(seed), rng(seed)];
        const first = epochOf(a);
        expect(epochOf(b)).toEqual(first);
        const second = epochOf(a);
        expect(epochOf(b)).toEqual(second);
        expect(second).not.toEqual(first);
      }),
    );
  });

  test("a loop that stops early draws as much as one that does not", () => {
    const [a, b] = [rng(3), rng(3)];
    for (const _batch of batches(upTo(9), { size: 2, rng: a })) break;
    Array.from(batches(upTo(9), { size: 2, rng: b }));
    expect(a.getState()).toEqual(b.getState());
  });

  test("puts each of three examples first in a third of the epochs", () => {
    const order = rng(5);
    const firsts = [0, 0, 0];
    for (let epoch = 0; epoch < 3000; epoch++) {
      firsts[batches([0, 1, 2], { size: 1, rng: order }).next().value![0]!]!++;
    }
    // Four standard deviations of a binomial count with n = 3000 and p = 1/3 are 103.
    for (const count of firsts) expect(Math.abs(count - 1000)).toBeLessThan(104);
  });

  test("with lengths, long batches do not always come last, and dropLast does not always drop the longest", () => {
    const order = rng(2);
    const length = (x: number) => x;
    const epochs = upTo(20).map(() =>
      Array.from(batches(upTo(9), { size: 2, length, rng: order, dropLast: true })),
    );
    expect(new Set(epochs.map((epoch) => Math.max(...epoch[0]!))).size).toBeGreaterThan(2);
    expect(epochs.some((epoch) => epoch.flat().includes(8))).toBe(true);
    expect(epochs.some((epoch) => !epoch.flat().includes(8))).toBe(true);
  });

  test("examples that are changed after the call do not change the epoch", () => {
    const examples = [1, 2, 3];
    const epoch = batches(examples, { size: 2 });
    examples.length = 0;
    expect(Array.from(epoch)).toEqual([[1, 2], [3]]);
  });
});

test("what cannot be right is refused in the call, before the first batch", () => {
  const refuse = (examples: unknown, options?: object) =>
    expect(() => batches(examples as number[], options as never));
  refuse("abc", { size: 2 }).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: batches: examples must be an array, got "abc"]`,
  );
  refuse([1, 2]).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: batches: size must be a whole number of at least 1, got undefined]`,
  );
  refuse([1, 2], { size: 0 }).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: batches: size must be a whole number of at least 1, got 0]`,
  );
  refuse([1, 2], { size: Number.NaN }).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: batches: size must be a whole number of at least 1, got NaN]`,
  );
  refuse([1, 2], { batchSize: 2 }).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: batches: there is no option "batchSize". It takes size, rng, length, dropLast]`,
  );
  refuse([1, 2], { size: 1, rng: 7 }).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: batches: rng must be a random generator, got 7; rng(seed, "order") makes one]`,
  );
  refuse([1, 2], { size: 3, dropLast: true }).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: batches: dropLast leaves no batch of 3, got 2 examples; lower size or leave dropLast out]`,
  );
  refuse([1, 2], {
    size: 1,
    length: (x: number) => (x === 2 ? Number.NaN : 1),
  }).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: batches: length must give a finite number of at least 0, got NaN for the example at index 1]`,
  );
  refuse([[1], 2], {
    size: 1,
    length: (x: number[]) => x.length,
  }).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: batches: length must give a finite number of at least 0, got undefined for the example at index 1]`,
  );
});
