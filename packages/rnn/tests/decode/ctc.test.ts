import { type Tensor, tensor, where, zeros } from "@chronograd/autodiff";
import { ctcLoss, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ctcAlignment, ctcBeamSearch, ctcGreedy } from "../../src/decode.ts";

const spelt = (path: readonly number[], blank: number) =>
  path.filter((k, t) => k !== blank && k !== path[t - 1]);

/** All paths of one row, with their probabilities. */
function paths(p: readonly (readonly number[])[]): { path: number[]; probability: number }[] {
  const classes = p[0]?.length ?? 1;
  return Array.from({ length: classes ** p.length }, (_, i) => {
    const path = p.map((_frame, t) => Math.floor(i / classes ** t) % classes);
    return { path, probability: path.reduce((product, k, t) => product * p[t]![k]!, 1) };
  });
}

const drawn = (seed: number, shape: readonly [number, number, number]) => {
  const random = rng(seed);
  const size = shape[0] * shape[1] * shape[2];
  return tensor(
    Float64Array.from({ length: size }, () => 2 * random.normal()),
    { shape },
  );
};
const batch = fc
  .record({
    seed: fc.integer({ min: 0, max: 1e6 }),
    steps: fc.integer({ min: 1, max: 5 }),
    classes: fc.integer({ min: 2, max: 3 }),
    blank: fc.integer({ min: 0, max: 1 }),
    rows: fc.integer({ min: 1, max: 3 }),
  })
  .chain((sizes) =>
    fc.record({
      sizes: fc.constant(sizes),
      lengths: fc.array(fc.integer({ min: 0, max: sizes.steps }), {
        minLength: sizes.rows,
        maxLength: sizes.rows,
      }),
    }),
  );

/** Each row of a random batch: what was found, and all its paths. */
function each<F>(
  decode: (logits: Tensor, options: { lengths: number[]; blank: number }) => readonly F[],
  check: (found: F, all: ReturnType<typeof paths>, blank: number) => void,
): void {
  fc.assert(
    fc.property(batch, ({ sizes: { seed, steps, classes, blank, rows }, lengths }) => {
      const x = drawn(seed, [steps, rows, classes]);
      const found = decode(x, { lengths, blank });
      expect(found.length).toBe(rows);
      const p = x.softmax(-1);
      for (const [row, length] of lengths.entries()) {
        const own = p.slice([[0, length], row]).toArray() as number[][];
        check(found[row]!, paths(own), blank);
      }
    }),
    { numRuns: 60 },
  );
}

const mostProbable = <P extends { probability: number }>(all: readonly P[]) =>
  all.reduce((best, other) => (other.probability > best.probability ? other : best));

test("greedy: the labels of the most probable path", () => {
  each(ctcGreedy, (labels, all, blank) => {
    expect(labels).toEqual(spelt(mostProbable(all).path, blank));
  });
});

test("a beam without limit finds all labels, with the probability of all their paths", () => {
  const decode = (x: Tensor, options: object) => ctcBeamSearch(x, { width: 1e4, ...options });
  each(decode, (hypotheses, all, blank) => {
    const sums = new Map<string, number>();
    for (const { path, probability } of all) {
      const key = spelt(path, blank).join();
      sums.set(key, (sums.get(key) ?? 0) + probability);
    }
    expect(hypotheses.length).toBe(sums.size);
    const order = hypotheses.map(({ logProbability }) => logProbability);
    expect(order).toEqual(order.toSorted((a, b) => b - a));
    for (const { labels, logProbability } of hypotheses) {
      expect(Math.exp(logProbability)).toBeCloseTo(sums.get(labels.join())!, 12);
    }
  });
});

test("a narrow beam gives at most so many, and never too high a probability", () => {
  const x = drawn(4, [6, 1, 4]);
  const exact = new Map(
    ctcBeamSearch(x, { width: 1e6 })[0]!.map((each) => [each.labels.join(), each.logProbability]),
  );
  for (const width of [1, 3, 20]) {
    const found = ctcBeamSearch(x, { width })[0]!;
    expect(found.length).toBe(width);
    for (const { labels, logProbability } of found) {
      expect(logProbability).toBeLessThanOrEqual(exact.get(labels.join())! + 1e-12);
    }
  }
  const [best] = ctcBeamSearch(x, { width: 1e6 })[0]!;
  expect(best!.logProbability).toBeCloseTo(-ctcLoss(x, [best!.labels]).item(), 10);
});

test("alignment: of all paths that spell a target the most probable", () => {
  for (const target of [[], [2], [2, 2], [2, 1, 2]]) {
    const decode = (x: Tensor, options: { lengths: number[]; blank: number }) => {
      const own = target.filter((k) => k !== options.blank && k < x.shape[2]!);
      return options.lengths.map((length, row) => {
        try {
          const column = x.slice([null, [row, row + 1]]);
          return {
            own,
            found: ctcAlignment(column, [own], { blank: options.blank, lengths: [length] })[0]!,
          };
        } catch (error) {
          expect(String(error)).toMatch(/no path of the \d steps/);
          return { own, found: undefined };
        }
      });
    };
    each(decode, ({ own, found }, all, blank) => {
      const right = all.filter(({ path }) => spelt(path, blank).join() === own.join());
      expect(found === undefined).toBe(right.length === 0);
      if (found === undefined) return;
      const { path, probability } = mostProbable(right);
      expect(found.path).toEqual(path);
      expect(Math.exp(found.logProbability)).toBeCloseTo(probability, 12);
    });
  }
});

describe("hostile inputs", () => {
  const x = drawn(6, [4, 2, 3]);
  const lengths = [4, 2];
  test("padding is not read", () => {
    const mask = tensor(Int32Array.of(1, 1, 1, 1, 1, 0, 1, 0), { shape: [4, 2, 1] });
    const spoilt = where(mask, x, Number.NaN);
    expect(ctcGreedy(spoilt, { lengths })).toEqual(ctcGreedy(x, { lengths }));
    expect(ctcBeamSearch(spoilt, { lengths })).toEqual(ctcBeamSearch(x, { lengths }));
    const targets = [[1, 2], [2]];
    expect(ctcAlignment(spoilt, targets, { lengths })).toEqual(
      ctcAlignment(x, targets, { lengths }),
    );
  });

  test("other dtypes and scales, and batches without rows or steps", () => {
    expect(ctcGreedy(x.cast("float32"))).toEqual(ctcGreedy(x));
    expect(ctcGreedy(x.mul(1e200))).toEqual(ctcGreedy(x));
    const [[sure]] = ctcBeamSearch(x.mul(1e200)) as [
      [{ labels: number[]; logProbability: number }],
    ];
    expect([sure.labels, sure.logProbability]).toEqual([ctcGreedy(x)[0], 0]);
    expect(ctcGreedy(zeros([3, 0, 2]))).toEqual([]);
    expect(ctcBeamSearch(zeros([0, 1, 2]))).toEqual([[{ labels: [], logProbability: 0 }]]);
    expect(ctcAlignment(zeros([0, 1, 2]), [[]])).toEqual([{ path: [], logProbability: 0 }]);
  });

  test("the loss refuses the same in the same words", () => {
    const labels = [[1], [2]];
    const cases: [logits: unknown, targets: unknown, options?: object][] = [
      ...[[1], zeros([2, 3]), x.cast("int32")].map(
        (logits) => [logits, labels] as [unknown, unknown],
      ),
      ...[5, [[1]], [1, 2], [[1], [3]], [[1], [0.5]], [[1, 0], [1]]].map(
        (targets) => [x, targets] as [unknown, unknown],
      ),
      ...[{ blank: 3 }, { lengths: [1] }, { lengths: [1, 5] }, { lengths: [1, Number.NaN] }].map(
        (options) => [x, labels, options] as [unknown, unknown, object],
      ),
    ];
    for (const [logits, targets, options] of cases) {
      const said = [ctcLoss, ctcAlignment].map((f) => {
        try {
          f(logits as Tensor, targets as number[][], options);
        } catch (error) {
          return String(error).replaceAll(f.name, "f");
        }
        return "nothing";
      });
      expect(said[0]).toMatch(/^\w+Error: f: /);
      expect(said[1]).toBe(said[0]);
    }
  });

  test("errors are sentences", () => {
    const bad = x.mul(Number.NaN);
    const as = <T>(value: unknown) => value as T;
    expect(() => ctcGreedy(zeros([2, 3]))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: ctcGreedy: logits must be a tensor of floats [T, B, K] of T steps, B rows and K classes, got float32 [2,3]]`,
    );
    expect(() => ctcGreedy(as<Tensor>([1]))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: ctcGreedy: logits must be a tensor of floats [T, B, K] of T steps, B rows and K classes, got [1]]`,
    );
    expect(() => ctcGreedy(x, { blank: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ctcGreedy: blank must be a whole number from 0 to 2, got 3]`,
    );
    expect(() => ctcGreedy(x, { lengths: [1] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ctcGreedy: lengths must be 2 numbers, one for each row, got 1]`,
    );
    expect(() => ctcGreedy(x, { lengths: [1, 5] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ctcGreedy: length 1 must be a whole number from 0 to 4, got 5]`,
    );
    expect(() => ctcGreedy(x, as({ length: [4] }))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: ctcGreedy: there is no option "length", did you mean "lengths"? It takes lengths, blank]`,
    );
    expect(() => ctcBeamSearch(x, { width: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ctcBeamSearch: width must be a whole number from 1 to 9007199254740991, got 0]`,
    );
    expect(() => ctcGreedy(bad)).toThrow(/^ctcGreedy: logits of row 0 at step 0 hold NaN/);
    expect(() => ctcBeamSearch(bad)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ctcBeamSearch: logits of row 0 at step 0 hold NaN or Infinity; findNonFinite names the op that made it]`,
    );
    expect(() => ctcAlignment(x, [[1]])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ctcAlignment: targets must be 2 lists of labels, one for each row, got 1 lists]`,
    );
    expect(() => ctcAlignment(x, [[1], [0]])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ctcAlignment: label 0 of target 1 is the blank 0; leave blanks out of targets, or name another class as blank]`,
    );
    expect(() => ctcAlignment(x, [[1], [3]])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ctcAlignment: label 0 of target 1 must be a whole number from 0 to 2, got 3]`,
    );
    expect(() => ctcAlignment(x, [[1], [1, 1, 1]])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ctcAlignment: no path of the 4 steps of row 1 spells its 3 labels; it needs a step for each label and one between equal labels, and finite logits]`,
    );
    expect(() => ctcAlignment(bad, [[1], [1]])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ctcAlignment: logits of row 0 at step 0 hold NaN or Infinity; findNonFinite names the op that made it]`,
    );
  });
});
