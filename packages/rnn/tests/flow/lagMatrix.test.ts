import { ones, scope, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { linear, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { lagMatrix } from "../../src/flow.ts";
import { defineCell, elman, initialParams, lstm, sequential } from "../../src/index.ts";
import { cellTable } from "../../src/testing.ts";
import { half, line } from "../truncated/setup.ts";
import { loss, mean, type Problem, present, problem, recorded, rowNorms } from "./setup.ts";

const T = 9;
const sequence = { inputs: zeros([12, 1, 1]), targets: zeros([12, 1, 1]) };
const sum = (x: Tensor) => x.sum();

/** `|dl_s / dh_(s - tau)|` of every row by one tape over all steps. */
function byTape(given: Problem) {
  const { tape, states, losses, outputs } = recorded(given);
  return (s: number, tau: number): number[] => {
    const cotangent = ones([3], { dtype: "float64" });
    // The output of these cells is the leaf h of the state, and nothing else.
    const at = tau === 0 ? outputs[s - 1] : states[s - tau];
    return rowNorms(tape.gradient(losses[s - 1]!, at, { cotangent }));
  };
}

function check(given: Problem, lags: number, least: number): void {
  const { cell, params, state, steps } = given;
  const found = lagMatrix(cell, params, steps, { loss, lags, state });
  const norms = byTape(given);
  expect(found.matrix.length).toBe(steps.length);
  const means: number[][] = Array.from({ length: lags + 1 }, () => []);
  for (const [i, step] of steps.entries()) {
    const s = i + 1;
    const rows = present(step);
    const row = found.matrix[i]!;
    if (rows.length === 0) {
      expect(row).toBe(null);
      continue;
    }
    expect(row!.length).toBe(Math.min(s, lags) + 1);
    for (let tau = least; tau < row!.length; tau++) {
      const all = norms(s, tau);
      const expected = rows.map((k) => all[k]!);
      expect(Math.abs(row![tau]! - mean(expected))).toBeLessThan(1e-12 * (1 + mean(expected)));
      if (s >= lags) means[tau]!.push(...expected);
    }
  }
  for (let tau = least; tau <= lags; tau++) {
    expect(found.mean[tau]).toBeCloseTo(mean(means[tau]!), 12);
  }
}

describe("the lag matrix is that of one tape over all steps", () => {
  for (const { name } of cellTable()) {
    test(name, () => {
      scope(() => check(problem(name, T, 2, true), 7, 1));
    });
  }
  for (const name of ["elman", "gru", "lstm"]) {
    test(`${name}, whose output is a leaf of the state: lag 0`, () => {
      scope(() => check(problem(name, T, 1, false), 4, 0));
      scope(() => check(problem(name, T, 3, true), 3, 0));
    });
  }
});

test("a line that halves: the lags, the decay, the tail and the reach in closed form", () => {
  const found = lagMatrix(line, half(), sequence, { loss: sum, lags: 6 });
  expect(found.mean).toEqual([1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64]);
  expect(found.decay!.rate).toBeCloseTo(0.5, 12);
  expect(found.decay!.interval![0]).toBeCloseTo(0.5, 12);
  expect(found.decay!.residual).toBeLessThan(1e-12);
  expect([found.decay!.from, found.decay!.to]).toEqual([3, 6]);
  // All lags together have the mass 2, of which those above 6 have 1 / 64.
  expect(found.tail).toBeCloseTo(1 / 128, 12);
  // 1 - 2^-k >= share
  expect(found.reach.map(({ steps }) => steps)).toEqual([1, 4, 7]);
  expect(found.lossSteps).toBe(7);
  expect(found.batches).toEqual({ of: "steps", count: 2 });
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

test("a head is part of the model, and lag 0 goes through it", () => {
  const model = sequential({
    cell: lstm({ input: 2, hidden: 3 }),
    head: linear({ input: 3, output: 1 }),
  });
  const params = initialParams(model, rng(1), { dtype: "float64" });
  const steps = { inputs: ones([5, 2, 2], { dtype: "float64" }), targets: zeros([5, 2, 1]) };
  const { mean } = lagMatrix(model, params, steps, { loss: sum, lags: 2 });
  const weights = Array.from((params.head as { W: Tensor }).W.toTypedArray());
  expect(mean[0]).toBeCloseTo(Math.hypot(...weights), 12);
});

test("losses of every fourth step, counted from the last, are those among all", () => {
  const { cell, params, state, steps } = problem("gru", T, 1, true);
  const all = lagMatrix(cell, params, steps, { loss, lags: 2, state });
  const some = lagMatrix(cell, params, steps, { loss, lags: 2, every: 4, state });
  // Step 5 and 9, and step 1, which has not all lags.
  expect(some.matrix).toEqual(all.matrix.map((row, i) => (i % 4 === 0 ? row : null)));
  expect(some.lossSteps).toBe(2);
});

test("with a loss at the last step alone, rows are the batches", () => {
  const cell = elman({ input: 2, hidden: 3 });
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const random = rng(2);
  const steps = Array.from({ length: 8 }, (_, i) => ({
    input: tensor(
      Float64Array.from({ length: 20 }, () => random.normal()),
      { shape: [10, 2] },
    ),
    target: i === 7,
  }));
  const last = (y: Tensor, isLast: boolean) => (isLast ? y.square().sum(-1) : null);
  const found = lagMatrix(cell, params, steps as never, { loss: last as never, lags: 8 });
  expect(found.matrix.slice(0, 7)).toEqual(new Array(7).fill(null));
  expect([found.lossSteps, found.batches, found.tail]).toEqual([1, { of: "rows", count: 10 }, 0]);
  for (const [lag, value] of found.mean.entries()) {
    const [low, high] = found.interval![lag]!;
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
  }
});

describe("the rate of a decay", () => {
  /** x_t = f_t x_{t-1}, so that the derivative by the state tau steps before is a product of f. */
  const product = defineCell({
    params: () => ({ w: { shape: [], draw: () => Float64Array.of(1) } }),
    state: () => ({ x: { shape: [1], draw: () => Float64Array.of(1) } }),
    step: ({ w }, f: Tensor, { x }) => {
      const next = f.mul(w).mul(x.sin());
      return [next, { x: next }];
    },
  })({ input: 1, hidden: 1 });

  test("1 or more has no tail and no reach", () => {
    const params = { w: tensor(1, { dtype: "float64" }) };
    const growing = defineCell({
      params: () => ({ w: { shape: [], draw: () => Float64Array.of(1) } }),
      state: () => ({ x: { shape: [1], draw: () => Float64Array.of(1) } }),
      step: ({ w }, f: Tensor, { x }) => [f.mul(w).mul(x), { x: f.mul(w).mul(x) }],
    })({ input: 1, hidden: 1 });
    const inputs = ones([12, 1, 1], { dtype: "float64" }).mul(1.25);
    const found = lagMatrix(growing, params, { inputs, targets: inputs }, { loss: sum, lags: 4 });
    expect(found.decay!.rate).toBeCloseTo(1.25, 12);
    expect(found.tail).toBe(null);
    expect(found.reach.map(({ steps }) => steps)).toEqual([null, null, null]);
  });

  test("a state that forgets everything has no decay, no tail, and reaches 1 step", () => {
    const inputs = zeros([12, 1, 1], { dtype: "float64" });
    const params = { w: tensor(1, { dtype: "float64" }) };
    const found = lagMatrix(product, params, { inputs, targets: inputs }, { loss: sum, lags: 4 });
    expect(found.mean).toEqual([1, 0, 0, 0, 0]);
    expect([found.decay, found.tail]).toEqual([null, 0]);
    expect(found.reach.map(({ steps }) => steps)).toEqual([1, 1, 1]);
  });
});

describe("refused in a sentence", () => {
  const said = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };
  const of = (options: object, stream: unknown = sequence, cell: unknown = line) =>
    said(() => lagMatrix(cell as never, half() as never, stream as never, options as never));

  test("what does not fit", () => {
    const nan = (x: Tensor) => x.log().mul(-1).sqrt().sum();
    const huge = defineCell({
      params: () => ({}),
      state: () => ({ x: { shape: [1], draw: () => Float64Array.of(0) } }),
      step: (_params, _input: Tensor, { x }) => [x.mul(1e200), { x: x.mul(1e200) }],
    })({ input: 1, hidden: 1 });
    const counter = defineCell({
      params: () => ({}),
      state: () => ({ n: { shape: [1], dtype: "int32", draw: () => Float64Array.of(0) } }),
      step: (_params, x: Tensor, { n }) => [x, { n }],
    })({ input: 1, hidden: 1 });
    expect([
      of({ loss: sum, lags: 13 }),
      of({ loss: sum, lags: 0 }),
      of({ loss: sum, lags: 4, decayFrom: 4 }),
      of({ loss: sum, lags: 4, every: 0 }),
      of({ loss: sum }),
      of({ lags: 4 }),
      of({ loss: sum, lag: 4 }),
      of({ loss: () => null, lags: 4 }),
      of({ loss: (x: Tensor, y: Tensor) => (y.item() === 1 ? x.sum() : null), lags: 4 }, [
        { input: zeros([1, 1]), target: tensor([[1]]) },
        ...Array.from({ length: 5 }, () => ({ input: zeros([1, 1]), target: zeros([1, 1]) })),
      ]),
      of({ loss: nan, lags: 2 }, { inputs: zeros([3, 1, 1]), targets: zeros([3, 1, 1]) }, huge),
      of({ loss: sum, lags: 2 }, { inputs: zeros([3, 1, 1]) }),
      of({ loss: sum, lags: 2 }, sequence, huge),
      of({ loss: sum, lags: 2 }, sequence, counter),
      of({ loss: sum, lags: 2 }, []),
    ]).toMatchInlineSnapshot(`
      [
        "lagMatrix: the stream has 12 steps, fewer than the 13 of lags; give a longer stretch, or fewer lags",
        "lagMatrix: lags must be a whole number of at least 1, got 0",
        "lagMatrix: decayFrom must be a whole number from 0 to 3, got 4",
        "lagMatrix: every must be a whole number of at least 1, got 0",
        "lagMatrix: lags must be a whole number of at least 1, got undefined",
        "lagMatrix: loss must be a function of output and target, got undefined",
        "lagMatrix: there is no option "lag", did you mean "lags"? It takes loss, lags, every, decayFrom, state, rng",
        "lagMatrix: every loss that is taken of the 12 steps is null, so there is no gradient; return a tensor at one step at least",
        "lagMatrix: the last step with a loss is step 1, before the 4 of lags; give fewer lags, or losses at later steps",
        "lagMatrix: the loss of step 3 is Infinity; forward: its output holds -Infinity at [0,0]: log [1,1] -> [1,1] (entry 2), time step 3; x, from mul, entry 0 is 0 there",
        "lagMatrix: the stream has inputs and no targets, and the loss needs both; give { inputs, targets }",
        "lagMatrix: the gradient of the loss of step 12 by the state after step 10 is Infinity; look at the parameters, or give fewer lags where gradients explode",
        "lagMatrix: the state of the model has no tensor of floats, so nothing flows through time; give it a cell with a state that is not of whole numbers",
        "lagMatrix: the stream has no steps",
      ]
    `);
  });
});
