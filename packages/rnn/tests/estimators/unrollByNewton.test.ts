import { grad, stack, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { embedding, init, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { unrollByNewton } from "../../src/estimators.ts";
import {
  attentionCell,
  defineCell,
  elman,
  gru,
  initialParams,
  learnedState,
  lstm,
  sequential,
  unroll,
} from "../../src/index.ts";
import { drawn, drawParams, type PlainCell } from "../../src/testing/draw.ts";
import { line } from "../truncated/estimatorSuite.ts";
import { numbers } from "../truncated/setup.ts";
import { builtIn, marked, type Problem, rows } from "./setup.ts";

const float64 = { dtype: "float64" } as const;

/** The largest difference of two trees, beside the largest number of the second or 1. */
function distance(a: unknown, b: unknown): number {
  const [found, expected] = [numbers(a), numbers(b)];
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  const scale = Math.max(1, ...Object.values(expected).flat().map(Math.abs));
  const apart = Object.entries(expected).flatMap(([path, y]) =>
    y.map((value, i) => Math.abs(value - found[path]![i]!)),
  );
  return Math.max(0, ...apart) / scale;
}

/** A problem as a whole sequence: its inputs, and its options. */
function sequenceOf({ stream, state }: Problem) {
  const bits = (of: "mask" | "reset", otherwise: number) =>
    stack(stream.map((step) => step[of] ?? tensor(new Int32Array(rows).fill(otherwise))));
  const hasMarks = stream.some(({ mask, reset }) => mask !== undefined || reset !== undefined);
  const marks = hasMarks ? { mask: bits("mask", 1), resets: bits("reset", 0) } : {};
  const options = { ...(state !== undefined && { state }), ...marks };
  return { inputs: stream.map(({ input }) => input), options };
}

const hasWholeNumbers = ({ cell, state }: Problem) =>
  tree
    .leaves(state ?? cell.initial?.(undefined as never, 1) ?? {})
    .some((x) => x.dtype === "int32");

describe("converges to unroll, to 1e-10", () => {
  for (const marks of [{}, marked]) {
    for (const [name, problem] of builtIn(marks)) {
      if (
        name === "" ||
        hasWholeNumbers({ ...problem, cell: { ...problem.cell, initial: undefined } as never })
      )
        continue;
      test(marks === marked ? `${name}, with marks` : name, () => {
        const { inputs, options } = sequenceOf(problem);
        const { cell, params } = problem;
        const expected = unroll(cell, params as never, inputs, { ...options, rng: null } as never);
        const found = unrollByNewton(cell, params as never, inputs, options as never);
        expect(found.converged).toBe(true);
        const { outputs, state, residuals, iterations } = found;
        expect(residuals).toHaveLength(iterations);
        expect(distance(outputs, expected.outputs)).toBeLessThan(1e-10);
        expect(distance(state, expected.state)).toBeLessThan(1e-10);
      });
    }
  }
});

function problemOf(steps: number, make: typeof gru = gru) {
  const cell = make({ input: 2, hidden: 3 });
  const random = rng(7);
  const inputs = drawn([steps, 2, 2], () => random.normal());
  return { cell, params: initialParams(cell, rng(1), float64), inputs };
}

test("a contractive cell needs a few iterations for many steps, whose errors fall as squares", () => {
  const { cell, params, inputs } = problemOf(200);
  const { iterations, residuals, outputs } = unrollByNewton(cell, params, inputs);
  expect(iterations).toBeLessThan(12);
  expect(distance(outputs, unroll(cell, params, inputs).outputs)).toBeLessThan(1e-10);
  const [a, b] = residuals.slice(-3) as [number, number];
  expect(b).toBeLessThan(10 * a ** 2 + 1e-14);
});

test("a linear step is solved by one iteration, which the next one confirms", () => {
  const inputs = zeros([9, 1, 1], float64);
  const params = { w: tensor(0.2, float64) };
  const found = unrollByNewton(line, params, inputs);
  expect(found).toMatchObject({ converged: true, iterations: 2 });
  expect(found.outputs!.slice([8]).item()).toBeCloseTo(0.9 * 0.2 ** 9, 15);
});

test("gradients by parameters, inputs and the state before are those of unroll", () => {
  const random = rng(3);
  const lengths = [7, 4];
  for (const make of [gru, lstm] as readonly (typeof gru)[]) {
    const { cell, params, inputs } = problemOf(7, make);
    const state = tree.map(cell.state, () => drawn([2, 3], () => random.normal()), isInitializer);
    const weights = drawn([7, 2, 3], () => random.normal());
    const lossOf = (run: typeof unroll | typeof unrollByNewton) => (x: never) => {
      const given = x as { params: typeof params; inputs: Tensor; state: never };
      const { outputs, state: last } = run(cell, given.params, given.inputs, {
        state: given.state,
        lengths,
      }) as { outputs: Tensor; state: object };
      const ofState = tree.leaves(last).map((h) => h.square().sum());
      return ofState.reduce((sum, each) => sum.add(each), outputs.mul(weights).sum());
    };
    const at = { params, inputs, state } as never;
    const [found, expected] = [unrollByNewton, unroll].map((run) => grad(lossOf(run))(at));
    expect(distance(found, expected)).toBeLessThan(1e-10);
  }
});
const isInitializer = (value: unknown): value is object =>
  typeof value === "object" && value !== null && "draw" in value;

test("symbols, a learned initial state, a context: outputs and gradients are those of unroll", () => {
  const random = rng(4);
  const language = sequential({
    embedding: embedding({ input: 5, output: 2 }),
    cell: learnedState(gru({ input: 2, hidden: 3 })),
  });
  const symbols = tensor(
    Int32Array.from({ length: 12 }, () => random.integer(0, 5)),
    { shape: [6, 2] },
  );
  const reader = attentionCell({ input: 2, hidden: 2, context: 3 });
  const context = {
    values: drawn([2, 4, 3], () => random.normal()),
    mask: tensor(Int32Array.of(1, 1, 1, 1, 1, 0, 1, 0), { shape: [2, 4] }),
  };
  const cases = [
    { cell: language, inputs: symbols, options: {} },
    { cell: reader, inputs: drawn([5, 2, 2], () => random.normal()), options: { context } },
  ] as unknown as { cell: PlainCell; inputs: Tensor; options: object }[];
  for (const { cell, inputs, options } of cases) {
    const lossOf = (run: typeof unroll | typeof unrollByNewton) => (params: never) => {
      const { outputs } = run(cell, params, inputs, options) as { outputs: unknown };
      const sums = tree.leaves(outputs).map((y) => y.mul(y.cos()).sum());
      return sums.reduce((a, b) => a.add(b));
    };
    const params = drawParams(cell, rng(5)) as never;
    const [found, expected] = [unrollByNewton, unroll].map((run) => grad(lossOf(run))(params));
    expect(distance(found, expected)).toBeLessThan(1e-10);
  }
});

test("float32 converges to its own precision", () => {
  const cell = gru({ input: 2, hidden: 3 });
  const params = initialParams(cell, rng(1));
  const inputs = problemOf(20).inputs.cast("float32");
  const found = unrollByNewton(cell, params, inputs);
  expect(found.converged).toBe(true);
  expect(distance(found.outputs, unroll(cell, params, inputs).outputs)).toBeLessThan(1e-5);
});

describe("where it does not converge it says so, and gives no outputs", () => {
  const { inputs } = problemOf(60);
  const cell = elman({ input: 2, hidden: 3 });
  const calm = initialParams(cell, rng(1), float64);
  const params = { ...calm, U: calm.U.mul(8) };

  test("an expansive cell, with fewer iterations than steps", () => {
    const found = unrollByNewton(cell, params, inputs, { iterations: 5 });
    expect(found).toMatchObject({ converged: false, iterations: 5 });
    expect(found.residuals).toHaveLength(5);
    expect(found).not.toHaveProperty("outputs");
    expect(found).not.toHaveProperty("state");
  });

  test("with one iteration more than steps, any cell converges", () => {
    const found = unrollByNewton(cell, params, inputs);
    expect(found.converged).toBe(true);
    expect(found.iterations).toBeGreaterThan(10);
    expect(distance(found.outputs, unroll(cell, params, inputs).outputs)).toBeLessThan(1e-8);
  });

  test("states that overflow, and NaN", () => {
    const squares = defineCell({
      params: () => ({ w: init.constant(1) }),
      state: () => ({ h: init.constant(3, 1) }),
      step: ({ w }: { w: Tensor }, _: Tensor, { h }: { h: Tensor }) => {
        const next = h.square().mul(w);
        return [next, { h: next }] as [Tensor, { h: Tensor }];
      },
    })({ input: 1, hidden: 1 });
    for (const w of [1, Number.NaN]) {
      const found = unrollByNewton(squares, { w: tensor(w, float64) }, zeros([12, 1, 1], float64));
      expect(found.converged).toBe(false);
      expect(found.residuals.at(-1)).toBe(Infinity);
    }
  });
});

describe("what does not fit is refused in a sentence", () => {
  const { cell, params, inputs } = problemOf(3);
  const start = (options: object) => () => unrollByNewton(cell, params, inputs, options);
  test("options", () => {
    for (const tolerance of [0, 1, -1, Number.NaN]) {
      expect(start({ tolerance })).toThrow(/tolerance must be a number between 0 and 1/);
    }
    expect(start({ tolerance: "fine" })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unrollByNewton: tolerance must be a number between 0 and 1, got "fine"]`,
    );
    expect(start({ iterations: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unrollByNewton: iterations must be a whole number of at least 1, got 0]`,
    );
    expect(start({ iteration: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: unrollByNewton: there is no option "iteration", did you mean "iterations"? It takes state, context, tolerance, iterations, memory, lengths, mask, resets]`,
    );
    expect(start({ memory: { bytes: 0 } })).toThrow(/memory.bytes must be a number above 0/);
    expect(start({ memory: { bytes: 800 } })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unrollByNewton: the Jacobians [3, 2, 3, 3] of all steps and rows, made in two copies, take 864 bytes, and memory.bytes allows 800; give it more, or part the sequence and hand on the state]`,
    );
  });
  test("another state", () => {
    expect(start({ state: { x: zeros([2, 3]) } })).toThrow(
      /^unrollByNewton: the state must have the tensors of the cell's state, h, got x/,
    );
  });
  test("a state of other rows, inputs of another width, and no state", () => {
    const state = { h: zeros([3, 3], float64) };
    expect(start({ state })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unrollByNewton: step 1: the input [2,2] has 2 rows, and the state "h" [3,3] has 3; give both one row for each sequence of the batch]`,
    );
    const wide = zeros([4, 2, 5], float64);
    expect(() => unrollByNewton(cell, params, wide)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unrollByNewton: steps 1 to 4: matmul: inner dimensions must agree, got [8,5] and [2,9]; transpose one operand?]`,
    );
    const none = defineCell({
      params: () => ({ w: init.constant(1) }),
      state: () => ({}),
      step: ({ w }: { w: Tensor }, x: Tensor) => [x.mul(w), {}] as [Tensor, object],
    })({ input: 1, hidden: 1 });
    const w = { w: tensor(1, float64) };
    expect(() =>
      unrollByNewton(none, w, zeros([3, 1, 1], float64)),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: unrollByNewton: the cell has no state, so that there is nothing to solve for; run it with unroll]`,
    );
  });
  test("rows that depend on each other: branches on the first, means over all", () => {
    const cellOf = (next: (x: Tensor, h: Tensor) => Tensor) =>
      defineCell({
        params: () => ({ w: init.constant(1) }),
        state: () => ({ h: init.zeros(1), t: init.zeros(1) }),
        step: (_: { w: Tensor }, x: Tensor, { h, t }: { h: Tensor; t: Tensor }) => {
          const after = next(h.mul(0.5).add(x), t);
          return [after, { h: after, t: t.add(1) }] as [Tensor, { h: Tensor; t: Tensor }];
        },
      })({ input: 1, hidden: 1 });
    const xs = drawn([6, 2, 1], () => 0.3);
    const w = { w: tensor(1, float64) };
    const branches = cellOf((x, t) => (Number(t.slice([0]).item()) % 2 === 1 ? x.sin() : x.tanh()));
    const means = cellOf((x) => x.sub(x.mean(0, { keepDims: true }).mul(0.5)));
    expect(() => unrollByNewton(branches, w, xs)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unrollByNewton: step 2 alone gives another state or output than among the rows of all 6 steps, so that the steps cannot run at once; each row must be a function of its own input and state: run the cell with unroll]`,
    );
    expect(() => unrollByNewton(means, w, xs, { iterations: 100 })).toThrow(
      /^unrollByNewton: step \d alone gives/,
    );
  });
  test("no steps", () => {
    expect(() => unrollByNewton(cell, params, [])).toThrow(/at least one time step/);
  });
  test("states of whole numbers, and states that grow", () => {
    const cellOf = (state: object, next: (h: Tensor) => Tensor) =>
      defineCell({
        params: () => ({ w: init.constant(1) }),
        state: () => state as { h: ReturnType<typeof init.zeros> },
        step: (_: { w: Tensor }, x: Tensor, { h }: { h: Tensor }) =>
          [x, { h: next(h) }] as [Tensor, { h: Tensor }],
      })({ input: 1, hidden: 1 });
    const counter = cellOf({ h: init.zeros(1) }, (h) => h.add(1));
    const state = { h: tensor(Int32Array.of(0), { shape: [1, 1] }) };
    const w = { w: tensor(1, float64) };
    const xs = zeros([3, 1, 1], float64);
    expect(() => unrollByNewton(counter, w, xs, { state })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: unrollByNewton: the state has tensors of whole numbers, which have no Jacobian; run the cell with unroll]`,
    );
    const growing = cellOf({ h: init.zeros(1) }, (h) => h.broadcastTo([1, 2]));
    expect(() => unrollByNewton(growing, w, xs.slice([[0, 1]]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unrollByNewton: a step takes a state of 1 numbers to one of 2, and all states are solved for at once; run the cell with unroll]`,
    );
  });
});
