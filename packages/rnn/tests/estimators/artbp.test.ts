import { type Tensor, tensor } from "@chronograd/autodiff";
import { applyUpdates, rng, selfCommunicator, sgd } from "@chronograd/nn";
import { runWorkers } from "@chronograd/nn/node";
import { describe, expect, test } from "vitest";
import { type ArtbpOptions, artbp } from "../../src/estimators.ts";
import { initialParams, type TimeStep, truncated, zoneout } from "../../src/index.ts";
import { estimatorSuite, line } from "../truncated/estimatorSuite.ts";
import {
  type AnyState,
  byDefinition,
  distance,
  type Numbers,
  numbers,
  type Problem,
  problem,
  total,
} from "../truncated/setup.ts";
import { builtIn, loss, marked } from "./setup.ts";
import { type Given, run as runOnRows } from "./workers.ts";

type Options = Omit<ArtbpOptions<AnyState>, "loss"> & {
  /** The seed of the model's noise. */
  readonly noise?: number;
};

for (const compile of [false, true]) {
  estimatorSuite(`artbp, ${compile ? "as plans" : "on a tape"}`, (cell, params, stream, options) =>
    artbp(cell, params, stream, { ...options, compile, steps: 2, draws: rng(4) }),
  );
}

/** What a stream yields with frozen weights: the ends of its windows, and the sum of gradients. */
function run({ cell, params, steps, loss }: Problem, { noise, ...options }: Options) {
  const random = noise === undefined ? {} : { rng: rng(noise) };
  const found: Numbers[] = [];
  const ends: number[] = [];
  const losses: number[] = [];
  for (const window of artbp(cell, params, steps, { ...options, ...random, loss })) {
    found.push(numbers(window.gradients));
    ends.push(window.end);
    losses.push(...window.losses);
  }
  return { gradient: total(found), ends, losses };
}

const full = (given: Problem, options = {}): Numbers => {
  const { cell, params, steps, loss } = given;
  const all = { k1: Infinity, k2: Infinity, loss, ...options };
  const [window] = Array.from(truncated(cell, params, steps, all), ({ gradients, losses }) => ({
    gradient: numbers(gradients),
    losses: [...losses],
  }));
  return { ...window!.gradient, losses: window!.losses };
};

/** The mean over all ways to cut T steps, each with its probability. */
function expectation(given: Problem, options: Omit<Options, "draws">) {
  const T = given.steps.length;
  const from = options.burnIn ?? 0;
  const c = (n: number) =>
    typeof options.probability === "function" ? options.probability(n) : options.probability!;
  const seen = new Map<string, Numbers>();
  for (let seed = 1; seen.size < 2 ** (T - from - 1) && seed < 4000; seed++) {
    const { gradient, ends } = run(given, { ...options, draws: rng(seed) });
    seen.set(ends.join(), gradient);
  }
  expect(seen.size).toBe(2 ** (T - from - 1));
  const parts: Numbers[] = [];
  for (const [pattern, gradient] of seen) {
    const ends = new Set(pattern.split(",").map(Number));
    let [likely, since] = [1, 0];
    for (let t = from + 1; t < T; t++) {
      since++;
      likely *= ends.has(t) ? c(since) : 1 - c(since);
      if (ends.has(t)) since = 0;
    }
    const scaled = Object.entries(gradient).map(([path, g]) => [path, g.map((x) => x * likely)]);
    parts.push(Object.fromEntries(scaled));
  }
  return total(parts);
}

describe("the mean over all ways to cut is the gradient of full back-propagation, to 1e-12", () => {
  const fall = (n: number) => 2 / (2 + n);
  test.each([
    ["elman", 5, { probability: 0.5 }],
    ["gru", 4, { probability: fall }],
    ["lstm", 4, { probability: fall, compile: true }],
    ["gru", 5, { probability: 0.4, burnIn: 1 }],
  ] as const)("%s, %i steps, %o", (name, T, options) => {
    const given = problem(name, T, 3);
    const start = "burnIn" in options ? options.burnIn : 0;
    const expected = byDefinition(given, start, T, () => 1);
    expect(distance(expectation(given, options), expected)).toBeLessThan(1e-12);
  });

  test("with rows that are masked, and reset", () => {
    const given = problem("gru", 5, 7);
    const mark = (...values: number[]) => tensor(Int32Array.from(values));
    const marks = [{}, { mask: mark(1, 0) }, { mask: mark(0, 0) }, { reset: mark(1, 0) }, {}];
    const steps: TimeStep[] = given.steps.map((step, i) => ({ ...step, ...marks[i] }));
    const marked = { ...given, steps };
    const { losses, ...expected } = full(marked);
    expect(losses).toHaveLength(5);
    for (const compile of [false, true]) {
      const found = expectation(marked, { probability: 0.5, compile });
      expect(distance(found, expected)).toBeLessThan(1e-12);
    }
  });
});

describe("so it is for every built-in cell, with marks", () => {
  test.each(builtIn(marked))("%s", (_name, { cell, params, state, stream }) => {
    const given = { cell, params, steps: stream.slice(0, 3), loss } as unknown as Problem;
    const options = state === undefined ? {} : { state: state as never };
    const { losses, ...expected } = full(given, options);
    expect(losses).toHaveLength(3);
    const found = expectation(given, { ...options, probability: 0.5 });
    expect(distance(found, expected)).toBeLessThan(1e-12);
  });
});

test("noise that is drawn per step is the same, wherever the stream is cut", () => {
  const given = problem("gru", 4, 9);
  const cell = zoneout(given.cell as never, { rate: 0.5 }) as typeof given.cell;
  const noisy = { ...given, cell };
  const { losses, ...expected } = full(noisy, { rng: rng(6) });
  expect(losses).not.toEqual(full(given).losses);
  const found = expectation(noisy, { probability: 0.5, noise: 6 });
  expect(distance(found, expected)).toBeLessThan(1e-12);
});

test("without a cut, windows are those of full back-propagation, bit for bit", () => {
  const given = problem("lstm", 9, 1);
  const { gradient, ends, losses } = run(given, { probability: () => 0, draws: rng(1) });
  expect(ends).toEqual([9]);
  expect({ ...gradient, losses }).toEqual(full(given));
});

test("values of the model do not change, and windows have the lengths that were asked for", () => {
  const given = problem("gru", 160, 2);
  for (const compile of [false, true]) {
    const { ends, losses } = run(given, { steps: 4, draws: rng(5), compile });
    expect(losses).toEqual(full(given).losses);
    // 160 draws with 1 / 4: 40 windows, with a standard deviation of 5.5.
    expect(Math.abs(ends.length - 40)).toBeLessThan(22);
  }
  const cuts = (seed: number) => run(given, { steps: 4, draws: rng(seed) }).ends.join();
  expect(cuts(5)).toBe(cuts(5));
  expect(cuts(5)).not.toBe(cuts(6));
});

test("a generator that goes on gives other cuts", () => {
  const given = problem("elman", 40, 2);
  const draws = rng(3);
  const [first, second] = [0, 1].map(() => run(given, { steps: 4, draws }).ends);
  expect(first).not.toEqual(second);
});

test("two workers cut after the same steps, as one does on all rows", async () => {
  const module = new URL("./workers.ts", import.meta.url);
  const input: Given[] = [
    { compile: false },
    { compile: true },
    { compile: false, isShorter: true },
  ];
  const all = await runWorkers<(ReturnType<typeof runOnRows> & { message: string })[], Given[]>(
    module,
    { workers: 2, input },
  );
  for (const ofRank of all) {
    for (const i of [0, 1]) {
      const expected = runOnRows(selfCommunicator, input[i]!);
      const { ends, gradient, losses } = ofRank[i]!;
      expect(ends).toEqual(expected.ends);
      expect(ends.length).toBeGreaterThan(3);
      expect(distance(gradient, expected.gradient)).toBeLessThan(1e-12);
      expect(distance({ losses }, { losses: expected.losses })).toBeLessThan(1e-12);
    }
    const { message } = ofRank[2]!;
    expect(message).toMatch(/^artbp: the streams of all workers must have the same number/);
  }
});

test("an asynchronous stream has the windows of the same steps", async () => {
  const given = problem("elman", 12, 2);
  const { cell, params, steps, loss } = given;
  async function* later() {
    yield* steps;
  }
  const options = { steps: 3, draws: rng(8), loss };
  const ends: number[] = [];
  for await (const { end } of artbp(cell, params, later(), options)) ends.push(end);
  expect(ends).toEqual(run(given, { steps: 3, draws: rng(8) }).ends);
});

test("updates between windows, a mean, and the gradient at a cut", () => {
  const given = problem("gru", 30, 4);
  let params = given.params;
  const optimizer = sgd({ learningRate: 0.1 });
  let state = optimizer.init(params);
  const seen: number[] = [];
  for (const window of artbp(given.cell, () => params, given.steps, {
    steps: 5,
    draws: rng(2),
    loss: given.loss,
    reduction: "mean",
    measure: () => true,
  })) {
    const { start, newFrom, end, losses, loss, count, gradientCount, stateGradientNorms } = window;
    expect([start, newFrom]).toEqual([seen.at(-1) ?? 0, start]);
    expect([losses.length, stateGradientNorms!.length]).toEqual([end - start, end - start]);
    expect([count, gradientCount]).toEqual([2 * losses.length, count]);
    expect(loss).toBeCloseTo(losses.reduce((a, b) => a + b) / count, 12);
    const [updates, after] = optimizer.update(window.gradients, state, params);
    params = applyUpdates(params, updates);
    state = after;
    seen.push(end);
  }
  expect(seen.at(-1)).toBe(30);
});

describe("what does not fit is refused in a sentence", () => {
  const params = initialParams(line, rng(1));
  const steps = [{ input: tensor([[1]]), target: tensor([[1]]) }];
  const start = (options: object) => {
    const given = { loss: (y: unknown) => y, draws: rng(1), ...options };
    return artbp(line, params, steps, given as never);
  };
  test("options", () => {
    expect(() => start({})).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: artbp: give steps, the mean length of a window, or the probability of a cut, got neither]`,
    );
    expect(() => start({ steps: 2, probability: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: artbp: give steps, the mean length of a window, or the probability of a cut, got both]`,
    );
    expect(() => start({ steps: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: artbp: steps must be a mean length of windows above 1, and finite, got 1; one window for all steps is truncated with { k1: Infinity, k2: Infinity }]`,
    );
    expect(() => start({ steps: Number.NaN })).toThrow(/steps must be a mean length/);
    for (const probability of [0, 1, -0.1, 1.5, Number.NaN]) {
      expect(() => start({ probability })).toThrow(/probability must be a number between 0 and 1/);
    }
    expect(() => start({ probability: "often" })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: artbp: probability must be a number between 0 and 1, neither of them included, or a function of the steps since the last cut, got "often"]`,
    );
    expect(() => start({ steps: 2, draws: 7 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: artbp: draws must be a generator, as rng(1, "draws") gives, got 7; the estimator draws from it, and the model's noise from rng]`,
    );
    for (const draws of [null, "cuts", { bits: () => 1 }, { uniform: () => 0.5 }]) {
      expect(() => start({ steps: 2, draws })).toThrow(/^artbp: draws must be a generator/);
    }
    expect(() => start({ steps: 2, drawing: 7 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: artbp: there is no option "drawing". It takes draws, loss, state, reduction, measure, compile, burnIn, rng, communicator, steps, probability]`,
    );
    expect(() => start({ steps: 2, k1: 7 })).toThrow(/no option "k1"/);
  });
  test("a probability that becomes certain", () => {
    expect(() => [...start({ probability: () => 1 })]).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: artbp: the probability of a cut must be at least 0 and below 1, got 1 from probability(1); where a cut is certain, nothing can make up for what it leaves out]`,
    );
  });
  test("a loss that is NaN, by its step", () => {
    const losses = (y: Tensor) => y.mul(Number.NaN);
    expect(() => [...start({ steps: 2, loss: losses })]).toThrow(
      /^artbp: the loss of step 1 is NaN/,
    );
  });
  test("a stream without steps", () => {
    const options = { steps: 2, draws: rng(1), loss: () => null };
    expect(() => [...artbp(line, params, [], options)]).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: artbp: the stream has no steps]`,
    );
  });
  test("a window to resume from", () => {
    const [window] = start({ steps: 2 });
    expect(window).toBeDefined();
    for (const each of start({ steps: 2 })) expect(() => each.live).toThrow(/cannot be resumed/);
  });
});
