import { ones, scope, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { linear, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import {
  chooseWindow,
  effectiveMemory,
  lagMatrix,
  stateGradients,
  truncationBias,
} from "../../src/flow.ts";
import {
  defineCell,
  gru,
  initialParams,
  lstm,
  sequential,
  stacked,
  type TimeStep,
  truncated,
} from "../../src/index.ts";
import { cellTable } from "../../src/testing.ts";
import { half, line } from "../truncated/setup.ts";
import { loss, type Problem, problem, recorded, rowNorms } from "./setup.ts";

const T = 9;
const sequence = { inputs: zeros([12, 1, 1]), targets: zeros([12, 1, 1]) };
const sum = (x: Tensor) => x.sum();

function close(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(found[i]! - value)).toBeLessThan(1e-12 * (1 + value));
  }
}

function check(given: Problem): void {
  const { cell, params, state, steps } = given;
  const found = stateGradients(cell, params, steps, { loss, state });
  const { tape, states, losses } = recorded(given);
  const cotangent = losses.map(({ shape }) => ones(shape, { dtype: "float64" }));
  const gradients = states.slice(0, -1).map((_, t) => {
    // The clone of a state has no use but in the steps after it.
    return tape.gradient(losses, states[t], { cotangent });
  });
  for (const [b, norms] of found.byRow.entries()) {
    close(
      norms,
      gradients.map((gradient) => rowNorms(gradient)[b]!),
    );
  }
  close(
    found.norms,
    gradients.map((gradient) => Math.hypot(...rowNorms(gradient))),
  );
  for (const [path, norms] of Object.entries(found.byLeaf)) {
    const leaf = (t: number) => new Map(tree.leavesWithPath(gradients[t]!)).get(path)!;
    close(
      norms,
      gradients.map((_, t) => Math.hypot(...leaf(t).toTypedArray())),
    );
  }
  const { stateGradientNorms } = truncated(cell, params, steps as TimeStep[], {
    ...{ k1: T, k2: T, loss, state },
    measure: () => true,
  }).next().value!;
  close(found.norms, stateGradientNorms!);
}

describe("gradients by the states are those of one tape, and of a window that is measured", () => {
  for (const { name } of cellTable()) {
    test(name, () => {
      scope(() => check(problem(name, T, 2, true)));
    });
  }
});

test("leaves and layers of a stack, and the mean over tokens", () => {
  const model = stacked([lstm({ input: 2, hidden: 3 }), gru({ input: 3, hidden: 4 })]);
  const params = initialParams(model, rng(1), { dtype: "float64" });
  const inputs = ones([5, 2, 2], { dtype: "float64" });
  const stream = { inputs, targets: inputs };
  const each = (y: Tensor) => y.square().sum(-1);
  const found = stateGradients(model, params, stream, { loss: each });
  const mean = stateGradients(model, params, stream, { loss: each, reduction: "mean" });
  const layers = Object.keys(found.byLayer);
  expect(layers.length).toBe(2);
  for (let t = 0; t < 5; t++) {
    for (const layer of layers) {
      const leaves = Object.keys(found.byLeaf).filter((path) => path.startsWith(`${layer}.`));
      const norm = Math.hypot(...leaves.map((path) => found.byLeaf[path]![t]!));
      expect(found.byLayer[layer]![t]).toBeCloseTo(norm, 12);
    }
    expect(found.norms[t]).toBeCloseTo(Math.hypot(...layers.map((l) => found.byLayer[l]![t]!)), 12);
    expect(mean.norms[t]).toBeCloseTo(found.norms[t]! / 10, 12);
  }
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

test("a step may return its state in another order", () => {
  const cell = (isTurned: boolean) =>
    defineCell({
      params: () => ({ w: { shape: [], draw: () => Float64Array.of(0.7) } }),
      state: () => {
        const draw = (value: number) => ({ shape: [2], draw: () => Float64Array.of(value, 1) });
        return { a: draw(0.3), b: draw(-0.2) };
      },
      step: ({ w }, x: Tensor, { a, b }) => {
        const [next, memory] = [a.mul(w).add(b.mul(x)).tanh(), b.mul(0.9).add(a.square())];
        return [next, isTurned ? { b: memory, a: next } : { a: next, b: memory }];
      },
    })({ input: 2, hidden: 2 });
  const params = { w: tensor(0.7, { dtype: "float64" }) };
  const inputs = ones([6, 1, 2], { dtype: "float64" }).mul(0.4);
  const stream = { inputs, targets: inputs };
  const [one, other] = [false, true].map((isTurned) => ({
    gradients: stateGradients(cell(isTurned), params, stream, { loss: sum }),
    lags: lagMatrix(cell(isTurned), params, stream, { loss: sum, lags: 4 }),
    memory: effectiveMemory(cell(isTurned), params, stream),
  }));
  expect(other).toEqual(one);
});

test("instruments beside a stream leave every gradient as it is, bit by bit", () => {
  const model = sequential({
    cell: lstm({ input: 2, hidden: 3 }),
    head: linear({ input: 3, output: 1 }),
  });
  const run = (isObserved: boolean): number[][] => {
    const params = initialParams(model, rng(1));
    const random = rng(2);
    const steps = Array.from({ length: 12 }, () => ({
      input: tensor(
        Float32Array.from({ length: 4 }, () => random.normal()),
        { shape: [2, 2] },
      ),
      target: zeros([2, 1]),
    }));
    const squared = (y: Tensor, target: Tensor) => y.sub(target).square().sum(-1);
    const found: number[][] = [];
    for (const { gradients, start, end } of truncated(model, params, steps, {
      k1: 4,
      k2: 8,
      loss: squared,
    })) {
      if (isObserved) {
        const window = steps.slice(start, end);
        stateGradients(model, params, window, { loss: squared });
        lagMatrix(model, params, window, { loss: squared, lags: 3 });
      }
      found.push(tree.leaves(gradients).flatMap((g) => Array.from(g.toTypedArray())));
    }
    return found;
  };
  expect(run(true)).toEqual(run(false));
});

describe("refused in a sentence", () => {
  const of = (options: object, stream: unknown = sequence): string => {
    try {
      stateGradients(line, half(), stream as never, options as never);
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };
  test("what does not fit", () => {
    const broken = (x: Tensor, y: Tensor) => x.sum().mul(y.item() === 1 ? Number.NaN : 1);
    const steps = [0, 1, 0].map((y) => ({ input: zeros([1, 1]), target: tensor([[y]]) }));
    const root = (x: Tensor) => x.sub(x).sqrt().sum();
    expect([
      of({ loss: () => null }),
      of({ loss: broken }, steps),
      of({ loss: root }, steps),
      of({ loss: sum, reduction: "average" }),
      of({ losses: sum }),
      of({ loss: sum }, { inputs: zeros([3, 1, 1]) }),
      of({ loss: () => 3 }),
      of({ loss: sum, state: {} }),
    ]).toMatchInlineSnapshot(`
      [
        "stateGradients: the loss is null at all 12 steps, so there is no gradient; return a tensor at one step at least",
        "stateGradients: the loss of step 2 is NaN; forward: its output holds NaN at []: mul [] -> [] (entry 2), time step 2; x, from sum, entry 1 is 0.25 there",
        "stateGradients: the gradient by the state "x" after step 2 is NaN; look at the parameters, or give a shorter stretch where gradients explode",
        "stateGradients: reduction must be "sum" or "mean", got "average"",
        "stateGradients: there is no option "losses", did you mean "loss"? It takes loss, reduction, state, rng",
        "stateGradients: the stream has inputs and no targets, and the loss needs both; give { inputs, targets }",
        "stateGradients: the loss of step 12 must be a tensor computed from the model's output, got a number; return null for a step without a loss",
        "stateGradients: the state must have the tensors of the cell's state, x, got none; initialState(cell, batch) has them",
      ]
    `);
  });
});

test("norms scale with the loss, also where their squares would vanish or overflow", () => {
  const { cell, params, state, steps } = problem("gru", 9, 1, true);
  for (const scale of [2 ** -600, 2 ** 560]) {
    const scaled = (y: unknown, target: Tensor) => loss(y, target).mul(scale);
    const ratio = (of: (options: { loss: never; state: never }) => readonly number[]) => {
      const one = of({ loss: loss as never, state: state as never });
      const other = of({ loss: scaled as never, state: state as never });
      for (const [i, norm] of other.entries()) {
        expect(Math.abs(norm / scale - one[i]!)).toBeLessThan(1e-12 * (1 + one[i]!));
      }
    };
    ratio((options) => stateGradients(cell, params, steps, options).norms);
    ratio((options) => lagMatrix(cell, params, steps, { ...options, lags: 3 }).mean);
    ratio((options) => lagMatrix(cell, params, steps, { ...options, lags: 3 }).standardError!);
  }
});

test("the first state that is not finite is named", () => {
  const cell = gru({ input: 1, hidden: 2 });
  const params = initialParams(cell, rng(1));
  const steps = Array.from({ length: 60 }, (_, t) => ({
    input: tensor([[t === 30 ? Number.NaN : 1]]),
    target: zeros([1, 2]),
  }));
  const mse = (y: Tensor, target: Tensor) => y.sub(target).square();
  const said = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };
  expect([
    said(() => stateGradients(cell, params, steps, { loss: mse })),
    said(() => lagMatrix(cell, params, steps, { loss: mse, lags: 4 })),
    said(() => truncationBias(cell, params, steps, { loss: mse, k1: 1, k2: 4 })),
    said(() => chooseWindow(cell, params, steps, { loss: mse, tolerance: 0.1 })),
  ]).toMatchInlineSnapshot(`
    [
      "stateGradients: the state "h" after step 31 is not finite; look for the op with findNonFinite of @chronograd/autodiff/testing",
      "lagMatrix: the state "h" after step 31 is not finite; look for the op with findNonFinite of @chronograd/autodiff/testing",
      "truncationBias: the state "h" after step 31 is not finite; look for the op with findNonFinite of @chronograd/autodiff/testing",
      "chooseWindow: the state "h" after step 31 is not finite; look for the op with findNonFinite of @chronograd/autodiff/testing",
    ]
  `);
});
