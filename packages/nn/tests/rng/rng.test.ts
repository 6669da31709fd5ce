import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rngFrom } from "../../src/rng/resume.ts";
import { type Rng, rng } from "../../src/rng/rng.ts";

const seeds = fc.maxSafeInteger();
const names = fc.string({ minLength: 1 });
type Draw = "uniform" | "normal" | "integer" | "bits";
const draws = fc.array(fc.constantFrom<Draw>("uniform", "normal", "integer", "bits"), {
  maxLength: 20,
});

function draw(from: Rng, kinds: readonly Draw[]): number[] {
  return kinds.map((kind) => (kind === "integer" ? from.integer(-5, 100) : from[kind]()));
}

const some = (from: Rng, count = 8) => Array.from({ length: count }, () => from.uniform());

describe("laws", () => {
  test("one seed and name give the same draws, whatever their kinds", () => {
    fc.assert(
      fc.property(seeds, names, draws, (seed, name, kinds) => {
        expect(draw(rng(seed, name), kinds)).toEqual(draw(rng(seed, name), kinds));
      }),
    );
  });

  test("a stream goes on where its saved state was taken", () => {
    fc.assert(
      fc.property(seeds, names, draws, draws, (seed, name, before, after) => {
        const one = rng(seed, name);
        draw(one, before);
        const saved = JSON.stringify(one.getState());
        const resumed = rngFrom(JSON.parse(saved));
        expect(resumed.name).toBe(one.name);
        expect(some(resumed.split("below"))).toEqual(some(one.split("below")));
        expect(draw(resumed, after)).toEqual(draw(one, after));
        expect(resumed.getState()).toEqual(one.getState());
      }),
    );
  });

  test("what is split off does not depend on draws", () => {
    fc.assert(
      fc.property(seeds, names, draws, (seed, name, kinds) => {
        const drawn = rng(seed);
        draw(drawn, kinds);
        expect(some(drawn.split(name))).toEqual(some(rng(seed).split(name)));
      }),
    );
  });

  test("the order of splitting does not matter", () => {
    fc.assert(
      fc.property(seeds, names, names, (seed, a, b) => {
        const one = rng(seed);
        const two = rng(seed);
        const [a1, b1] = [one.split(a), one.split(b)];
        const [b2, a2] = [two.split(b), two.split(a)];
        expect([some(a1), some(b1)]).toEqual([some(a2), some(b2)]);
      }),
    );
  });

  test("different names and different seeds give different draws", () => {
    fc.assert(
      fc.property(seeds, seeds, names, names, (seed, other, a, b) => {
        fc.pre(a !== b && seed !== other);
        expect(some(rng(seed, a))).not.toEqual(some(rng(seed, b)));
        expect(some(rng(seed, a))).not.toEqual(some(rng(other, a)));
        expect(some(rng(seed, a))).not.toEqual(some(rng(seed)));
      }),
    );
  });

  test("rng(seed, name) is rng(seed).split(name)", () => {
    expect(rng(7, "data").getState()).toEqual(rng(7).split("data").getState());
  });

  test("a path of names is not a name with a slash", () => {
    expect(some(rng(1).split("a").split("b"))).not.toEqual(some(rng(1).split("a/b")));
    expect(some(rng(1).split("ab").split("c"))).not.toEqual(some(rng(1).split("a").split("bc")));
  });
});

describe("independence", () => {
  test("a step of the seed flips each bit of the state half of the time", () => {
    const count = 4000;
    const flips = new Array<number>(128).fill(0);
    for (let seed = 0; seed < count; seed++) {
      const a = rng(seed).getState().position;
      const b = rng(seed + 1).getState().position;
      for (let bit = 0; bit < 128; bit++) {
        flips[bit]! += ((a[bit >> 5]! ^ b[bit >> 5]!) >>> (bit & 31)) & 1;
      }
    }
    // Standard deviation of each share: 0.5 / sqrt(4000) = 0.0079.
    for (const flipped of flips) expect(Math.abs(flipped / count - 0.5)).toBeLessThan(5 * 0.0079);
  });

  test("names that differ in one letter flip each bit of the state half of the time", () => {
    const count = 4000;
    const root = rng(3);
    const flips = new Array<number>(128).fill(0);
    for (let i = 0; i < count; i++) {
      const a = root.split(`layer ${i} a`).getState().position;
      const b = root.split(`layer ${i} b`).getState().position;
      for (let bit = 0; bit < 128; bit++) {
        flips[bit]! += ((a[bit >> 5]! ^ b[bit >> 5]!) >>> (bit & 31)) & 1;
      }
    }
    for (const flipped of flips) expect(Math.abs(flipped / count - 0.5)).toBeLessThan(5 * 0.0079);
  });

  test("100,000 names give as many states", () => {
    const root = rng(0);
    const states = new Set<string>();
    for (let i = 0; i < 100_000; i++) states.add(root.split(String(i)).getState().position.join());
    expect(states.size).toBe(100_000);
  });

  test("siblings, and neighbours in one stream, are uncorrelated", () => {
    const count = 50_000;
    const root = rng(11);
    const correlation = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, x, i) => sum + (x - 0.5) * (b[i]! - 0.5), 0) / count / (1 / 12);
    const limit = 4.5 / Math.sqrt(count);
    for (let i = 0; i < 10; i++) {
      const a = some(root.split(`t${i}`), count + 1);
      const b = some(root.split(`t${i + 1}`), count);
      expect(Math.abs(correlation(a.slice(0, count), b))).toBeLessThan(limit);
      expect(Math.abs(correlation(a.slice(0, count), a.slice(1)))).toBeLessThan(limit);
    }
  });
});

/** Pearson's statistic for equally likely bins, as standard deviations from its mean. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

function countInto(bins: number, total: number, next: () => number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < total; i++) counts[next()]!++;
  return counts;
}

describe("distributions", () => {
  test.each([1, 2, 3])("uniform draws fill bins evenly (seed %i)", (seed) => {
    const from = rng(seed, "uniform");
    expect(
      Math.abs(chiSquare(countInto(1000, 500_000, () => Math.floor(from.uniform() * 1000)))),
    ).toBeLessThan(4);
  });

  test("the lower bits of a uniform draw are as even as the upper ones", () => {
    const from = rng(5, "low");
    const next = () => (from.uniform() * 2 ** 53) % 256;
    expect(Math.abs(chiSquare(countInto(256, 500_000, next)))).toBeLessThan(4);
  });

  test("uniform draws lie in [0, 1) on a grid of 2^-53", () => {
    const from = rng(6);
    for (let i = 0; i < 1000; i++) {
      const u = from.uniform();
      expect(u).toBeGreaterThanOrEqual(0);
      expect(u).toBeLessThan(1);
      expect(Number.isInteger(u * 2 ** 53)).toBe(true);
    }
  });

  test.each([2, 3, 6, 7, 64, 1000])("integers below %i are equally likely", (count) => {
    const from = rng(count, "integer");
    const counts = countInto(count, 200_000, () => from.integer(0, count));
    expect(Math.abs(chiSquare(counts))).toBeLessThan(4.5);
  });

  test("integers of a wide range are equally likely in its thirds, where a remainder would be biased", () => {
    const width = 3 * 2 ** 51;
    const from = rng(4, "wide");
    const counts = countInto(3, 100_000, () => Math.floor(from.integer(0, width) / 2 ** 51));
    expect(Math.abs(chiSquare(counts))).toBeLessThan(4.5);
  });

  test("integers lie in their range, however wide", () => {
    fc.assert(
      fc.property(seeds, fc.maxSafeInteger(), fc.maxSafeInteger(), (seed, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        fc.pre(high - low >= 1 && high - low <= 2 ** 53);
        const x = rng(seed).integer(low, high);
        expect(Number.isSafeInteger(x) && x >= low && x < high).toBe(true);
      }),
    );
  });

  test("normal draws have the moments and the tails of the normal distribution", () => {
    const count = 400_000;
    const from = rng(8, "normal");
    const z = Array.from({ length: count }, () => from.normal());
    const moment = (power: number) => z.reduce((sum, x) => sum + x ** power, 0) / count;
    const root = Math.sqrt(count);
    // The standard deviation of the mean of z^k is sqrt(E z^2k - (E z^k)^2) / sqrt(n).
    expect(Math.abs(moment(1))).toBeLessThan((4 * 1) / root);
    expect(Math.abs(moment(2) - 1)).toBeLessThan((4 * Math.sqrt(2)) / root);
    expect(Math.abs(moment(3))).toBeLessThan((4 * Math.sqrt(15)) / root);
    expect(Math.abs(moment(4) - 3)).toBeLessThan((4 * Math.sqrt(96)) / root);
    const beyond = z.filter((x) => Math.abs(x) > 3).length / count;
    expect(Math.abs(beyond - 0.0026998)).toBeLessThan((4 * Math.sqrt(0.0027)) / root);
    const pairs =
      z.reduce((sum, x, i) => (i % 2 === 0 ? sum + x * z[i + 1]! : sum), 0) / (count / 2);
    expect(Math.abs(pairs)).toBeLessThan(4 / Math.sqrt(count / 2));
  });
});

describe("errors", () => {
  test("are sentences", () => {
    expect(() => rng(0.5)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: rng: seed must be a whole number between -2^53 and 2^53, got 0.5]`,
    );
    expect(() => rng(1).split("")).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: split: name must be a string that is not empty, got an empty one; name what the generator is for, for example "dropout"]`,
    );
    expect(() => rng(1, "")).toThrow("split: name must be a string that is not empty");
    expect(rng(1, undefined).getState()).toEqual(rng(1).getState());
    expect(() => rng("7" as never)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: rng: seed must be a whole number between -2^53 and 2^53, got "7"]`,
    );
    expect(() => rng(1).integer(3, 3)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: integer: expected whole numbers with low below high, at most 2^53 apart, got low 3 and high 3; high itself is never drawn]`,
    );
    expect(() => rng(1).integer(0, 0.5)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: integer: expected whole numbers with low below high, at most 2^53 apart, got low 0 and high 0.5; high itself is never drawn]`,
    );
    const state = rng(1).getState();
    const bad = (change: object) => () => rngFrom({ ...state, ...change });
    expect(() => rngFrom(undefined as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: rngFrom: expected a state object, got undefined; pass what getState() returned]`,
    );
    expect(bad({ name: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: rngFrom: name must be a string, got number; pass what getState() returned]`,
    );
    expect(bad({ key: [1, 2, 3] })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: rngFrom: key must be four 32-bit integers; pass what getState() returned]`,
    );
    expect(bad({ position: [0, 0, 0, 0] })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: rngFrom: position must not be all zeros; pass what getState() returned]`,
    );
    expect(bad({ position: [0, 0, 0, 2 ** 31] })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: rngFrom: position must be four 32-bit integers; pass what getState() returned]`,
    );
    expect(bad({ spare: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: rngFrom: spare must be a number or null, got NaN; pass what getState() returned]`,
    );
  });
});
