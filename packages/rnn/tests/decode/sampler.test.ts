import { type FloatDType, grad, Tape, tensor } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SamplerOptions, sampler } from "../../src/decode.ts";

/** A generator that draws one number only. */
const drawing = (u: number) => ({ uniform: () => u }) as Rng;

/** How often each token is drawn over the u = (i + 1/2) / n: one interval of [0, 1) each. */
function shares(logits: readonly number[], options: SamplerOptions, n = 2000): number[] {
  const sample = sampler(options);
  const counts = logits.map(() => 0);
  const x = tensor(logits, { dtype: "float64" });
  for (let i = 0; i < n; i++) counts[sample(x, drawing((i + 0.5) / n)).item()]! += 1 / n;
  return counts;
}

/** The distribution by its definition: of all sets of tokens, the one that the options leave. */
function defined(
  logits: readonly number[],
  { temperature = 1, topK = Infinity, nucleus = 1 }: SamplerOptions,
): number[] {
  const weights = logits.map((x) => Math.exp(x / temperature));
  const massOf = (set: readonly number[]) => set.reduce((sum, i) => sum + weights[i]!, 0);
  const sets = Array.from({ length: 2 ** logits.length - 1 }, (_, bits) =>
    logits.map((_, i) => i).filter((i) => (((bits + 1) >> i) & 1) === 1),
  );
  const largest = (size: number) =>
    sets
      .filter((set) => set.length === size)
      .reduce((best, set) => (massOf(set) > massOf(best) * (1 + 1e-12) ? set : best));
  const top = largest(Math.min(topK, logits.length));
  const inside = sets.filter((set) => set.every((i) => top.includes(i)));
  const sizes = inside
    .filter((set) => massOf(set) >= nucleus * massOf(top) * (1 - 1e-12))
    .map((set) => set.length);
  const kept = largest(Math.min(...sizes));
  return logits.map((_, i) => (kept.includes(i) ? weights[i]! / massOf(kept) : 0));
}

const distinct = fc
  .uniqueArray(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 6 })
  .filter((list) => {
    const sorted = list.toSorted((a, b) => a - b);
    return sorted.every((x, i) => i === 0 || x - sorted[i - 1]! > 1e-6);
  });
const options = fc.record(
  {
    temperature: fc.double({ min: 0.2, max: 3, noNaN: true }),
    topK: fc.integer({ min: 1, max: 7 }),
    nucleus: fc.double({ min: 0.01, max: 0.999, noNaN: true }),
  },
  { requiredKeys: [] },
);

describe("the distribution", () => {
  test("is that of the definition", () => {
    fc.assert(
      fc.property(distinct, options, (logits, how) => {
        const expected = defined(logits, how);
        const found = shares(logits, how, 500);
        for (const [i, p] of expected.entries()) {
          // A token has one interval of u, of which either end can be off by half a step.
          expect(Math.abs(found[i]! - p)).toBeLessThanOrEqual(1 / 500 + 1e-9);
          if (p === 0) expect(found[i]).toBe(0);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("of 20,000 draws passes a chi-squared test", () => {
    const probabilities = [0.4, 0.3, 0.15, 0.1, 0.05];
    const logits = tensor(probabilities.map(Math.log));
    const random = rng(3, "sample");
    const sample = sampler();
    const counts = probabilities.map(() => 0);
    const n = 20_000;
    for (let i = 0; i < n; i++) counts[sample(logits, random).item()]!++;
    const statistic = probabilities.reduce(
      (sum, p, i) => sum + (counts[i]! - n * p) ** 2 / (n * p),
      0,
    );
    // The 99.9 % quantile of chi-squared with 4 degrees of freedom.
    expect(statistic).toBeLessThan(18.467);
  });

  test("a nucleus keeps the fewest tokens that reach its mass, with equality", () => {
    const logits = [0.5, 0.25, 0.125, 0.125].map(Math.log);
    const support = (nucleus: number) => shares(logits, { nucleus }).filter((p) => p > 0).length;
    expect([0.3, 0.5, 0.51, 0.75, 0.8, 0.9, 1].map(support)).toEqual([1, 1, 2, 2, 3, 4, 4]);
  });

  test("top-k keeps exactly k, the first of equal ones", () => {
    const equal = [1, 1, 1, 1, 1];
    for (const topK of [1, 2, 3, 5, 9]) {
      const kept = Math.min(topK, 5);
      shares(equal, { topK }, 3000).forEach((p, i) => {
        expect(p).toBeCloseTo(i < kept ? 1 / kept : 0, 3);
      });
    }
    expect(shares([0, 2, 1, 2], { topK: 1 })).toEqual(
      [0, 1 - 0, 0, 0].map((p) => expect.closeTo(p)),
    );
    // The nucleus is of what top-k left: 0.4 of 0.7 is more than half of it.
    const logits = [0.4, 0.3, 0.2, 0.1].map(Math.log);
    expect(shares(logits, { topK: 2, nucleus: 0.55 })[0]).toBeCloseTo(1);
    expect(shares(logits, { topK: 2, nucleus: 0.6 })[1]).toBeCloseTo(3 / 7, 2);
  });

  test("the temperature takes probabilities to its inverse power", () => {
    const [p] = shares([Math.log(4), 0], { temperature: 0.5 });
    expect(p).toBeCloseTo(16 / 17, 3);
    expect(shares([Math.log(4), 0], { temperature: 2 })[0]).toBeCloseTo(2 / 3, 3);
  });
});

describe("edges", () => {
  test("temperature 0 takes the largest, the first of equal ones, and draws nothing", () => {
    const sample = sampler({ temperature: 0 });
    const rows = tensor([
      [1, 3, 3],
      [-Infinity, -5, -5],
      [0, 0, 0],
    ]);
    expect(sample(rows).toArray()).toEqual([1, 1, 0]);
    const random = rng(1);
    sample(rows, random);
    expect(random.getState()).toEqual(rng(1).getState());
  });

  test("a logit of -Infinity is never drawn, at either end of u", () => {
    const x = tensor([-Infinity, 2, -Infinity, 2, -Infinity]);
    for (const how of [{}, { topK: 4 }, { nucleus: 0.99 }, { temperature: 1e-300 }]) {
      const sample = sampler(how);
      const ends = [0, 0.25, 0.75, 1 - 2 ** -53].map((u) => sample(x, drawing(u)).item());
      expect(ends).toEqual([1, 1, 3, 3]);
    }
  });

  test.each(["float32", "float64"] as const)(
    "no scale overflows or vanishes, %s",
    (dtype: FloatDType) => {
      const of = (logits: number[], how: SamplerOptions, u: number) =>
        sampler(how)(tensor(logits, { dtype }), drawing(u)).item();
      expect(of([1e38, 1e38, -1e38], {}, 0.75)).toBe(1);
      expect(of([-1e38, -1e38 / 2], {}, 0)).toBe(1);
      expect(of([1e-30, 2e-30], { temperature: 1e-300 }, 0)).toBe(1);
      expect(of([1e-30, 2e-30], { temperature: 1e300 }, 0.49)).toBe(0);
      expect(of([1e-30, 2e-30], { temperature: 1e300 }, 0.51)).toBe(1);
    },
  );

  test("rows draw one after another, and shapes lose the last axis", () => {
    const rows = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 1, 1],
      [0, 5, 0],
    ];
    const sample = sampler({ temperature: 0.8 });
    const one = rng(5);
    const expected = rows.map((row) => sample(tensor(row), one).item());
    expect(sample(tensor(rows), rng(5)).toArray()).toEqual(expected);
    const cube = sample(tensor(rows.flat(), { shape: [2, 2, 3] }), rng(5));
    expect([cube.shape, cube.dtype]).toEqual([[2, 2], "int32"]);
    expect(cube.toTypedArray()).toEqual(Int32Array.from(expected));
    expect(sample(tensor([0, 3]), rng(5)).shape).toEqual([]);
    expect(sample(tensor([], { shape: [0, 3] }), rng(5)).shape).toEqual([0]);
  });

  test("nothing flows back through a draw", () => {
    const tape = new Tape();
    const x = tape.watch(tensor([1, 2]));
    expect(sampler()(x, rng(1)).tape).toBeNull();
    const slope = grad((y) => y.gather([sampler({ temperature: 0 })(y).item()]).sum());
    expect(slope(tensor([1, 2])).toArray()).toEqual([0, 1]);
  });
});

test("errors are sentences", () => {
  const draw = (logits: number[], how: SamplerOptions = {}) => sampler(how)(tensor(logits), rng(1));
  expect(() => sampler({ temperature: -1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: temperature must be a finite number of at least 0, 0 for the likeliest token, got -1]`,
  );
  expect(() => sampler({ temperature: Infinity })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: temperature must be a finite number of at least 0, 0 for the likeliest token, got Infinity]`,
  );
  expect(() => sampler({ topK: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: topK must be a whole number of tokens of at least 1, got 0]`,
  );
  expect(() => sampler({ topK: 2.5 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: topK must be a whole number of tokens of at least 1, got 2.5]`,
  );
  expect(() => sampler({ nucleus: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: nucleus must be a probability above 0 and at most 1, got 0]`,
  );
  expect(() => sampler({ nucleus: 90 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: nucleus must be a probability above 0 and at most 1, got 90]`,
  );
  expect(() => sampler({ nucleus: "0.9" as never })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: nucleus must be a probability above 0 and at most 1, got "0.9"]`,
  );
  expect(() => sampler({ topP: 0.9 } as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: sampler: there is no option "topP", did you mean "topK"? It takes temperature, topK, nucleus]`,
  );
  expect(() => draw([1, Number.NaN])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: the logit of token 1 in row 0 is NaN, and a logit must be a number below Infinity; check that training did not diverge]`,
  );
  expect(() => draw([Number.NaN, 1], { temperature: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: the logit of token 0 in row 0 is NaN, and a logit must be a number below Infinity; check that training did not diverge]`,
  );
  expect(() => draw([1, Infinity])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: the logit of token 1 in row 0 is Infinity, and a logit must be a number below Infinity; check that training did not diverge]`,
  );
  expect(() => draw([-Infinity, -Infinity])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: row 0 has no token that could follow, all 2 logits are -Infinity; leave at least one above it]`,
  );
  expect(() => sampler()(tensor([1, 2]))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: sampler: a temperature above 0 needs a generator to draw from, as in sample(logits, rng(1, "sample")), got undefined]`,
  );
  expect(() =>
    sampler()(tensor([1, 2], { dtype: "int32" }), rng(1)),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: sampler: logits must be floats [..., V], with a last axis of V tokens, got Tensor int32 [2]]`,
  );
  expect(() => sampler()(tensor(1), rng(1))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: sampler: logits must be floats [..., V], with a last axis of V tokens, got Tensor float32 []]`,
  );
  expect(() => sampler()([1, 2] as never, rng(1))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: sampler: logits must be floats [..., V], with a last axis of V tokens, got an array]`,
  );
});
