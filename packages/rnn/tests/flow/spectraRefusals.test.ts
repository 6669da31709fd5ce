import { type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { init } from "@chronograd/nn";
import { defineCell } from "@chronograd/rnn";
import {
  fixedPoints,
  gradientFlossing,
  jacobianSpectrum,
  lyapunovSpectrum,
  verdict,
} from "@chronograd/rnn/flow";
import { describe, expect, test } from "vitest";
import { diagonal, linearMap, mapCell, plain, stateOf, stepsOf } from "./maps.ts";

const cell = linearMap(diagonal([0.5, 0.2]));
const still = tensor([[0, 0]], { dtype: "float64" });
const starts = stateOf([[1, 1]]);

function said(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
}

const instruments = {
  jacobianSpectrum: (model: typeof cell, steps: unknown, options = {}) =>
    jacobianSpectrum(model, plain, steps as never, options),
  lyapunovSpectrum: (model: typeof cell, steps: unknown, options = {}) =>
    lyapunovSpectrum(model, plain, steps as never, options),
  gradientFlossing: (model: typeof cell, steps: unknown, options = {}) =>
    gradientFlossing(model, plain, steps as never, options),
};

test("counts are from 1 to H", () => {
  const texts = Object.values(instruments).map((run) =>
    said(() => run(cell, stepsOf(9, 1, 2), { count: 3 })),
  );
  expect(texts).toMatchInlineSnapshot(`
    [
      "jacobianSpectrum: count must be a whole number from 1 to H = 2, the numbers of a row of the state, got 3",
      "lyapunovSpectrum: count must be a whole number from 1 to H = 2, the numbers of a row of the state, got 3",
      "gradientFlossing: count must be a whole number from 1 to H = 2, the numbers of a row of the state, got 3",
    ]
  `);
});

test("streams have steps", () => {
  const texts = Object.values(instruments).map((run) => said(() => run(cell, [])));
  expect(texts).toMatchInlineSnapshot(`
    [
      "jacobianSpectrum: the stream has no steps",
      "lyapunovSpectrum: the stream has no steps",
      "gradientFlossing: the stream has no steps",
    ]
  `);
});

test("options are known", () => {
  const texts = Object.values(instruments).map((run) =>
    said(() => run(cell, stepsOf(9, 1, 2), { cuont: 1 })),
  );
  expect([
    ...texts,
    said(() => verdict(lyapunovSpectrum(cell, plain, stepsOf(9, 1, 2)), { horizn: 3 } as never)),
    said(() => fixedPoints(cell, plain, { input: still, starts, start: 3 } as never)),
  ]).toMatchInlineSnapshot(`
    [
      "jacobianSpectrum: there is no option "cuont", did you mean "count"? It takes count, every, method, tolerance, dimension, state, rng",
      "lyapunovSpectrum: there is no option "cuont", did you mean "count"? It takes count, warmUp, every, state, rng",
      "gradientFlossing: there is no option "cuont", did you mean "count"? It takes count, target, warmUp, state, rng",
      "verdict: there is no option "horizn", did you mean "horizon"? It takes horizon, jacobians",
      "fixedPoints: there is no option "start", did you mean "starts"? It takes input, starts, tolerance, slow, distance, steps",
    ]
  `);
});

test("streams are long enough", () => {
  expect([
    said(() => lyapunovSpectrum(cell, plain, stepsOf(9, 1, 2), { warmUp: 8 })),
    said(() => gradientFlossing(cell, plain, stepsOf(9, 1, 2), { warmUp: 9 })),
    said(() =>
      gradientFlossing(cell, plain, {
        inputs: zeros([2, 1, 2], { dtype: "float64" }),
        lengths: [0],
      }),
    ),
  ]).toMatchInlineSnapshot(`
    [
      "lyapunovSpectrum: no row goes on for 10 steps, a warm-up of 8 and two times 1 to estimate an error from, in a stream of 9; give more steps, or a smaller warmUp",
      "gradientFlossing: no row goes on for 10 steps, more than the warm-up of 9, in a stream of 9; give more steps, or a smaller warmUp",
      "gradientFlossing: no row goes on for 1 step, more than the warm-up of 0, in a stream of 2; give more steps, or a smaller warmUp",
    ]
  `);
});

test("states are finite, or the step is named", () => {
  const growing = mapCell(2, (h) => h.square().mul(10));
  const state = stateOf([[1, 1e40]]);
  const texts = Object.values(instruments).map((run) =>
    said(() => run(growing, stepsOf(9, 1, 2), { state })),
  );
  expect(texts).toMatchInlineSnapshot(`
    [
      "jacobianSpectrum: the state "h" after step 3 is not finite; look for the op with findNonFinite of @chronograd/autodiff/testing",
      "lyapunovSpectrum: the state "h" after step 3 is not finite; look for the op with findNonFinite of @chronograd/autodiff/testing",
      "gradientFlossing: the state "h" after step 3 is not finite; look for the op with findNonFinite of @chronograd/autodiff/testing",
    ]
  `);
});

test("derivatives are finite, or the step is named", () => {
  const root = mapCell(2, (h) => h.sqrt());
  const texts = Object.values(instruments).map((run) => said(() => run(root, stepsOf(9, 1, 2))));
  expect(texts).toMatchInlineSnapshot(`
    [
      "jacobianSpectrum: the derivative of step 1 by the state before it is not finite; a step needs derivatives along the whole trajectory",
      "lyapunovSpectrum: the derivative of step 1 by the state before it is not finite; a step needs derivatives along the whole trajectory",
      "gradientFlossing: the derivative of step 1 by the state before it is not finite; a step needs derivatives along the whole trajectory",
    ]
  `);
});

test("states are floats of one shape", () => {
  const counter = defineCell({
    params: () => ({ shift: init.zeros(1) }),
    state: () => ({ n: init.zeros(1) }),
    step: (_params, x: Tensor, { n }) => {
      const next = n.cast("int32").add(1);
      return [x, { n: next }];
    },
  })({ input: 2, hidden: 1 });
  const state = { n: tensor(Int32Array.of(0), { shape: [1, 1] }) };
  const texts = Object.values(instruments).map((run) =>
    said(() => run(counter as never, stepsOf(3, 1, 2), { state })),
  );
  const input = still;
  expect([
    ...texts,
    said(() => fixedPoints(counter, plain, { input, starts: state })),
  ]).toMatchInlineSnapshot(`
    [
      "jacobianSpectrum: the state of the model has no tensor of floats, so nothing flows through time; give it a cell with a state that is not of whole numbers",
      "lyapunovSpectrum: the state of the model has no tensor of floats, so nothing flows through time; give it a cell with a state that is not of whole numbers",
      "gradientFlossing: the state of the model has no tensor of floats, so nothing flows through time; give it a cell with a state that is not of whole numbers",
      "fixedPoints: the state "n" is of whole numbers, along which nothing can be searched; give it a cell with a state of floats",
    ]
  `);
});

describe("what is too large is refused before it is made", () => {
  test("dense Jacobians and directions", () => {
    const large = mapCell(12_000, (h) => h);
    const steps = stepsOf(2, 1, 12_000);
    expect([
      said(() => jacobianSpectrum(large, plain, steps, { method: "dense" })),
      said(() => lyapunovSpectrum(large, plain, steps, { count: 12_000 })),
      said(() =>
        fixedPoints(large, plain, { input: steps[0]!.input, starts: { h: steps[0]!.input } }),
      ),
    ]).toMatchInlineSnapshot(`
      [
        "jacobianSpectrum: the Jacobians [1, 12000, 12000] of a step would take 1.07 GiB, and an instrument takes at most 1.00 GiB; ask for method: "krylov"",
        "lyapunovSpectrum: 12000 directions of 1 rows with 12000 numbers would take 1.07 GiB, and an instrument takes at most 1.00 GiB; ask for a smaller count",
        "fixedPoints: a Jacobian [12000, 12000] would take 2.15 GiB, and an instrument takes at most 1.00 GiB; use a smaller state",
      ]
    `);
  });
});

test("flossing needs directions that live, and a finite target", () => {
  const flat = linearMap(diagonal([0.5, 0]));
  expect([
    said(() => gradientFlossing(flat, plain, stepsOf(4, 1, 2), { count: 2 })),
    said(() => gradientFlossing(cell, plain, stepsOf(4, 1, 2), { target: NaN })),
  ]).toMatchInlineSnapshot(`
    [
      "gradientFlossing: a direction is lost at step 1, where the Jacobian is singular, and its exponent is -Infinity; ask for a smaller count, or use an activation whose derivative is not 0",
      "gradientFlossing: target must be a finite number, the exponent to come to, got NaN; 0 keeps gradients of their size",
    ]
  `);
});

test("jacobianSpectrum needs a row that goes on", () => {
  const inputs = zeros([2, 1, 2], { dtype: "float64" });
  const resets = tensor(Int32Array.of(1, 1), { shape: [2, 1] });
  expect(said(() => jacobianSpectrum(cell, plain, { inputs, resets }))).toMatchInlineSnapshot(
    `"jacobianSpectrum: no row takes one of the 2 steps, each is reset or masked; give steps that go on from the state before"`,
  );
});

test("verdict needs a horizon", () => {
  const spectrum = lyapunovSpectrum(cell, plain, stepsOf(9, 1, 2));
  expect(said(() => verdict(spectrum, { horizon: 0 }))).toMatchInlineSnapshot(
    `"verdict: horizon must be a positive number of steps, got 0; 100 asks for gradients that live that long"`,
  );
  expect(verdict(spectrum).text).toMatchInlineSnapshot(
    `"vanishing: the largest Lyapunov exponent is -1.11 with a standard error of 0.26, so over 100 steps a gradient changes by a factor of 7.30e-49"`,
  );
});

test("fixedPoints takes one input, and starts that are states", () => {
  const of = (options: object) =>
    said(() => fixedPoints(cell, plain, { input: still, starts, ...options }));
  expect([
    of({ input: zeros([2, 2], { dtype: "float64" }) }),
    of({ starts: { c: still } }),
    of({ starts: { h: tensor([[NaN, 1]], { dtype: "float64" }) } }),
    of({ starts: { h: zeros([0, 2], { dtype: "float64" }) } }),
    of({ tolerance: 0 }),
    of({ steps: 1.5 }),
    of({ input: undefined }),
    of({ input: tensor([[NaN, 1]], { dtype: "float64" }) }),
    of({ input: zeros([1, 3], { dtype: "float64" }) }),
    said(() =>
      fixedPoints(cell, { shift: tensor([NaN], { dtype: "float64" }) }, { input: still, starts }),
    ),
  ]).toMatchInlineSnapshot(`
    [
      "fixedPoints: the input must be tensors of one row, which stays and is the same for all starts, got 2 rows; call it for each of them",
      "fixedPoints: the starts must have the tensors of the cell's state, h, got c; initialState(cell, batch) has them",
      "fixedPoints: row 0 of starts is not finite; give states that a model can be in",
      "fixedPoints: starts has no rows; give one state at least",
      "fixedPoints: tolerance must be a positive number, got 0",
      "fixedPoints: steps must be a whole number of at least 1, got 1.5",
      "fixedPoints: the input must be tensors of one row, which stays and is the same for all starts, got nothing that has rows",
      "fixedPoints: the input holds NaN; give finite numbers",
      "fixedPoints: the step with this input and these starts: add: shapes [1,2] and [1,3] do not broadcast: 2 and 3 meet on axis 1, and neither is 1; give those that the model runs with",
      "fixedPoints: the parameter "shift" holds NaN; give finite numbers",
    ]
  `);
});

test("jacobianSpectrum takes a method by its name, and a tolerance below 1", () => {
  const of = (options: object) =>
    said(() => jacobianSpectrum(cell, plain, stepsOf(3, 1, 2), options));
  expect([
    of({ method: "dnse" }),
    of({ method: null }),
    of({ tolerance: NaN }),
    of({ tolerance: -1 }),
    of({ tolerance: "x" }),
    of({ tolerance: Infinity, method: "krylov" }),
  ]).toMatchInlineSnapshot(`
    [
      "jacobianSpectrum: method must be "dense" or "krylov", got "dnse"; did you mean "dense"?",
      "jacobianSpectrum: method must be "dense" or "krylov", got null",
      "jacobianSpectrum: tolerance must be a number between 0 and 1, a residual relative to the norm, got NaN",
      "jacobianSpectrum: tolerance must be a number between 0 and 1, a residual relative to the norm, got -1",
      "jacobianSpectrum: tolerance must be a number between 0 and 1, a residual relative to the norm, got "x"",
      "jacobianSpectrum: tolerance must be a number between 0 and 1, a residual relative to the norm, got Infinity",
    ]
  `);
});

describe("verdict", () => {
  const spectrum = lyapunovSpectrum(cell, plain, stepsOf(9, 1, 2));

  test("refuses what is no spectrum", () => {
    const of = (given: unknown, options = {}) => said(() => verdict(given as never, options));
    expect([
      of(null),
      of({}),
      of({ exponents: [], errors: [] }),
      of({ ...spectrum, exponents: [NaN] }),
      of({ ...spectrum, errors: [NaN] }),
      of(spectrum, { jacobians: {} }),
      of(spectrum, { horizon: "5" }),
      of(spectrum, { horizon: Infinity }),
    ]).toMatchInlineSnapshot(`
      [
        "verdict: the spectrum must be what lyapunovSpectrum gave, with exponents and errors, got null",
        "verdict: the spectrum must be what lyapunovSpectrum gave, with exponents and errors, got an object",
        "verdict: the spectrum must be what lyapunovSpectrum gave, with exponents and errors, got an object",
        "verdict: the largest exponent is NaN with the error 0.25921046145726956, which says nothing; give the spectrum of a model whose derivatives are finite",
        "verdict: the largest exponent is -1.108382059519874 with the error NaN, which says nothing; give the spectrum of a model whose derivatives are finite",
        "verdict: jacobians must be what jacobianSpectrum gave, steps with a norm each, got an object",
        "verdict: horizon must be a positive number of steps, got "5"; 100 asks for gradients that live that long",
        "verdict: horizon must be a positive number of steps, got Infinity; 100 asks for gradients that live that long",
      ]
    `);
  });

  test("reads a lost direction from JSON", () => {
    const lost = lyapunovSpectrum(linearMap(diagonal([0, 0])), plain, stepsOf(9, 1, 2));
    expect(lost.exponents[0]).toBe(-Infinity);
    expect(verdict(JSON.parse(JSON.stringify(lost)))).toEqual(verdict(lost));
    expect(verdict(lost).verdict).toBe("vanishing");
  });
});
