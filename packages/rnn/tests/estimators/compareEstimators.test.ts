import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { describe, expect, test } from "vitest";
import { artbp, compareEstimators, type NamedEstimator, rtrl, uoro } from "../../src/estimators.ts";
import { truncated } from "../../src/index.ts";
import { numbers, problem } from "../truncated/setup.ts";

type Named = NamedEstimator<Record<string, never>, Record<string, never>>;

const given = problem("gru", 12, 3);
const { cell, params, steps, loss } = given;
const vectorOf = (gradients: unknown) => Object.values(numbers(gradients)).flat();
const norm = (x: readonly number[]) => Math.hypot(...x);

const [full] = Array.from(
  truncated(cell, params, steps, { k1: Infinity, k2: Infinity, loss }),
  ({ gradients, losses }) => ({ gradient: vectorOf(gradients), losses: [...losses] }),
);
const g = full!.gradient;

const truncatedAt = (k1: number, k2: number): Named => ({
  name: `truncated(${k1}, ${k2})`,
  windows: (model, values, stream, options) =>
    truncated(model, values, stream, { ...options, k1, k2 }),
});

const compare = (estimators: readonly Named[], options: object = {}) =>
  compareEstimators<Record<string, never>, Record<string, never>>(cell, params, steps, estimators, {
    loss,
    ...options,
  });

/** An estimator with a gradient of its own making, in one window. */
const made = (name: string, gradientOf: (uniform: () => number) => readonly number[]): Named => ({
  name,
  *windows(_model, values, _stream, _options, draws) {
    const all = [...gradientOf(() => draws.uniform())];
    const gradients = tree.map(values, (x: Tensor) => {
      return tensor(Float64Array.from(all.splice(0, x.size)), { shape: x.shape });
    });
    yield { gradients: gradients as never, losses: full!.losses };
  },
});
test("exact estimators have no bias and no variance, and need two runs", () => {
  const exact: Named = {
    name: "RTRL",
    windows: (model, values, stream, options) => rtrl(model, values, stream, { ...options, k1: 3 }),
  };
  const table = compare([truncatedAt(Infinity, Infinity), exact]);
  expect(table).toMatchObject({ steps: 12, parameters: g.length });
  expect(table.full.norm).toBeCloseTo(norm(g), 10);
  expect(table.full.loss).toBeCloseTo(
    full!.losses.reduce((a, b) => a + b),
    10,
  );
  for (const row of table.estimators) {
    expect(row).toMatchObject({ isDeterministic: true, runs: 2, variance: 0, biasError: 0 });
    expect(row.relative.bias).toBeLessThan(1e-12);
    expect(row.cosine).toBeCloseTo(1, 12);
    expect(row.seconds).toBeGreaterThan(0);
    expect(row.peakBytes).toBeGreaterThan(0);
  }
  expect(table.estimators.map(({ windows }) => windows)).toEqual([1, 4]);
});

test("what a truncation leaves out is its bias", () => {
  const own = new Array<number>(g.length).fill(0);
  for (const { gradients } of truncated(cell, params, steps, { k1: 2, k2: 2, loss })) {
    for (const [i, x] of vectorOf(gradients).entries()) own[i]! += x;
  }
  const dot = own.reduce((sum, x, i) => sum + x * g[i]!, 0);
  const [row] = compare([truncatedAt(2, 2)]).estimators;
  expect(row!.bias).toBeCloseTo(norm(own.map((x, i) => x - g[i]!)), 10);
  expect(row!.cosine).toBeCloseTo(dot / norm(own) / norm(g), 12);
  expect(row!.bias).toBeGreaterThan(0.01 * norm(g));
});

test("mean, variance and cosines are those of the estimates, by two passes over them", () => {
  const estimates: number[][] = [];
  const noisy = made("noisy", (uniform) => {
    const estimate = g.map((x) => x * (0.5 + uniform()) + 0.1);
    estimates.push(estimate);
    return estimate;
  });
  const [row] = compare([noisy], { repeats: 9 }).estimators;
  expect(estimates).toHaveLength(9);
  const mean = g.map((_, i) => estimates.reduce((sum, each) => sum + each[i]! / 9, 0));
  const variance = estimates.reduce(
    (sum, each) => sum + norm(each.map((x, i) => x - mean[i]!)) ** 2 / 8,
    0,
  );
  const cosine = (x: readonly number[]) =>
    x.reduce((sum, value, i) => sum + value * g[i]!, 0) / norm(x) / norm(g);
  const bias = norm(mean.map((x, i) => x - g[i]!));
  expect(row!.runs).toBe(9);
  expect(row!.bias).toBeCloseTo(bias, 10);
  expect(row!.variance).toBeCloseTo(variance, 10);
  expect(row!.biasError).toBeCloseTo(Math.sqrt(variance / 9), 10);
  expect(row!.cosine).toBeCloseTo(
    estimates.reduce((sum, each) => sum + cosine(each) / 9, 0),
    12,
  );
  expect(row!.cosineOfMean).toBeCloseTo(cosine(mean), 12);
  expect(row!.relative.deviation).toBeCloseTo(Math.sqrt(variance) / norm(g), 10);
});

test("cosines and relative numbers do not depend on the scale of the loss", () => {
  const noise: Named = {
    name: "ARTBP",
    windows: (model, values, stream, options, draws) =>
      artbp(model, values, stream, { ...options, draws, steps: 4 }),
  };
  const all = (scale: number) =>
    compareEstimators(cell, params, steps, [truncatedAt(1, 2) as never, noise as never], {
      ...{ repeats: 4, loss: (y: Tensor, target: Tensor) => loss(y, target).mul(scale) },
    }).estimators;
  const plain = all(1);
  for (const scale of [2 ** -660, 2 ** 660]) {
    for (const [i, { cosine, cosineOfMean, relative, bias, biasError }] of all(scale).entries()) {
      expect(cosine).toBeCloseTo(plain[i]!.cosine, 10);
      expect(cosineOfMean).toBeCloseTo(plain[i]!.cosineOfMean, 10);
      expect(relative.deviation).toBeCloseTo(plain[i]!.relative.deviation, 10);
      expect(bias / scale).toBeCloseTo(plain[i]!.bias, 10);
      expect(biasError / scale).toBeCloseTo(plain[i]!.biasError, 10);
    }
  }
  const tiny = made("tiny", () => g.map((x) => x * 2 ** -600));
  expect(compare([tiny]).estimators[0]).toMatchObject({ cosine: expect.closeTo(1, 12) });
});

test("unbiased estimators are as far away as chance says; a seed repeats all but costs", () => {
  const random: Named[] = [
    {
      name: "ARTBP",
      windows: (model, values, stream, options, draws) =>
        artbp(model, values, stream, { ...options, draws, steps: 4 }),
    },
    {
      name: "UORO",
      windows: (model, values, stream, options, draws) =>
        uoro(model, values, stream, { ...options, draws, k1: 4 }),
    },
  ];
  const table = compare(random, { repeats: 12 });
  for (const row of table.estimators) {
    expect(row).toMatchObject({ isDeterministic: false, runs: 12 });
    expect(row.bias).toBeGreaterThan(0);
    expect(row.bias).toBeLessThan(2.5 * row.biasError);
  }
  expect(JSON.parse(JSON.stringify(table))).toEqual(table);
  const withoutCost = (seed: number) =>
    compare(random, { repeats: 3, seed }).estimators.map(({ seconds, peakBytes, ...row }) => row);
  expect(withoutCost(5)).toEqual(withoutCost(5));
  expect(withoutCost(5)).not.toEqual(withoutCost(6));
});

describe("what does not fit is refused in a sentence", () => {
  const zero = made("zero", () => g.map(() => 0));
  test("options and estimators", () => {
    expect(() => compare([])).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compareEstimators: estimators must be a list of { name, windows }, got an empty one]`,
    );
    expect(() => compare([zero, zero])).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compareEstimators: two estimators are called "zero"; give each its own name]`,
    );
    expect(() => compare([{ name: "x" } as Named])).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compareEstimators: an estimator must be { name, windows }, a text and a function (cell, params, stream, options, draws) => windows, got an object]`,
    );
    expect(() => compare([zero], { repeats: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: compareEstimators: repeats must be a whole number of runs of at least 2, got 1; a variance needs two]`,
    );
    expect(() => compare([zero], { loss: 7 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compareEstimators: loss must be a function of output and target, got 7]`,
    );
    expect(() => compare([zero], { seed: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: compareEstimators: seed must be a whole number between -2^53 and 2^53, got NaN]`,
    );
    expect(() => compare([zero], { repeat: 7 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compareEstimators: there is no option "repeat", did you mean "repeats"? It takes loss, state, rng, repeats, seed]`,
    );
  });
  test("estimates that are none", () => {
    const half: Named = {
      name: "half",
      windows: (model, values, stream, options) =>
        truncated(model, values, (stream as typeof steps).slice(0, 5), {
          ...options,
          k1: 5,
          k2: 5,
        }),
    };
    const means: Named = {
      name: "means",
      windows: (model, values, stream, options) =>
        truncated(model, values, stream, { ...options, k1: 5, k2: 5, reduction: "mean" }),
    };
    const others: Named = {
      name: "others",
      windows: () => [{ gradients: {}, losses: full!.losses }] as never,
    };
    expect(() => compare([half])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: compareEstimators: the windows of "half" report 5 losses, and the stretch has 12 steps; each step is new in one window]`,
    );
    expect(() => compare([means])).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compareEstimators: the windows of "means" are means, whose sum is the gradient of no loss; leave the reduction out]`,
    );
    expect(() => compare([others])).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compareEstimators: the gradients of "others" must be a tree like the parameters, with W, U, b, bn, got nothing]`,
    );
    const window = (own: unknown): Named => ({ name: "mine", windows: () => [own] as never });
    for (const own of [null, {}, { gradients: params, losses: 3 }]) {
      expect(() => compare([window(own)])).toThrow(
        /^compareEstimators: a window of "mine" must be \{ gradients, losses \}/,
      );
    }
    expect(() => compare([window({ gradients: params })])).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compareEstimators: a window of "mine" must be { gradients, losses }, a tree and a list with a number for each new step, got an object without losses]`,
    );
    const torn: Named = { name: "torn", windows: () => 3 as never };
    expect(() => compare([torn])).toThrow(
      /^compareEstimators: "torn" threw: windows must return an iterable of windows, got 3/,
    );
    const none = made("none", () => g.map(() => Number.NaN));
    expect(() => compare([none])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: compareEstimators: the gradient of "none" is not finite]`,
    );
    expect(compare([zero]).estimators[0]).toMatchObject({ cosine: 0 });
  });
  test("an estimator that refuses the model, by its name", () => {
    const refuses: Named = {
      name: "tiny RTRL",
      windows: (model, values, stream, options) =>
        rtrl(model, values, stream, { ...options, k1: 1, memory: { bytes: 8 } }),
    };
    expect(() => compare([refuses])).toThrow(/^compareEstimators: "tiny RTRL" threw: rtrl: /);
    expect(() => compareEstimators(cell, params, steps, [], undefined as never)).toThrow(
      /^compareEstimators: loss must be a function/,
    );
  });
  test("losses that are null at all steps, and no steps", () => {
    const start = (stream: typeof steps, of: unknown) => () =>
      compareEstimators(cell, params, stream, [truncatedAt(1, 1)], { loss: of as typeof loss });
    expect(start(steps, () => null)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: compareEstimators: the gradient of full back-propagation over these steps is zero, so nothing can be compared with it; are the losses null at all steps?]`,
    );
    expect(start([], loss)).toThrow(
      /^compareEstimators: "full back-propagation" threw: truncated: the stream has no steps/,
    );
  });
});
