import { grad, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { liveView } from "@chronograd/autodiff/ndarray";
import { applyUpdates, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { initialParams, type LiveWindow, lstm, truncated } from "../../src/index.ts";
import { filed, models } from "./interrupted.ts";
import { problem } from "./setup.ts";
import { liveOf, message } from "./stopped.ts";

type Made = ReturnType<typeof liveOf>;

/** What resuming says of a live window, or options, that were changed. */
function said(made: Made, live: unknown, options: object = {}, cell: unknown = made.cell): string {
  return message(() => {
    const own = { ...made.all, resume: live as LiveWindow, ...options };
    truncated(cell as Made["cell"], made.params, made.rest, own).next();
  });
}

describe("what does not fit is refused", () => {
  const made = liveOf();
  const { live } = made;

  test("another setting, by the first that differs", () => {
    expect(
      [
        { k1: 1 },
        { k2: 6 },
        { stale: "recompute" },
        { losses: "window" },
        { losses: "window", multiplicity: true },
        { reduction: "mean" },
        { compile: true },
        { burnIn: 2 },
        { state: tree.map(live.tensors, (x) => x) },
      ].map((options) => said(made, live, options)),
    ).toMatchInlineSnapshot(`
      [
        "RangeError: truncated: the live window to resume is of a stream with k1 2, got k1 1; resume with the settings of that stream",
        "RangeError: truncated: the live window to resume is of a stream with k2 5, got k2 6; resume with the settings of that stream",
        "RangeError: truncated: the live window to resume is of a stream with stale "carry", got stale "recompute"; resume with the settings of that stream",
        "RangeError: truncated: the live window to resume is of a stream with losses "new", got losses "window"; resume with the settings of that stream",
        "RangeError: truncated: the live window to resume is of a stream with losses "new", got losses "window"; resume with the settings of that stream",
        "RangeError: truncated: the live window to resume is of a stream with reduction "sum", got reduction "mean"; resume with the settings of that stream",
        "RangeError: truncated: the live window to resume is of a stream with compile false, got compile true; resume with the settings of that stream",
        "RangeError: truncated: the live window to resume is of a stream with burnIn 0, got burnIn 2; resume with the settings of that stream",
        "TypeError: truncated: resume and state exclude each other, because a live window has the state; leave one out",
      ]
    `);
  });

  test("what is no live window, and parts of another kind", () => {
    const { tensors: _, ...rest } = live;
    expect(
      [
        null,
        tensor(1),
        [live],
        "path",
        [...truncated(made.cell, made.params, made.rest, made.all)][0],
        { ...live, ends: 1 },
        rest,
        { ...live, end: 8.5 },
        { ...live, index: -1 },
        { ...live, tape: 3 },
        { ...live, tensors: [...live.tensors.slice(1), 3] },
        { ...live, settings: { ...live.settings, k3: 1 } },
        { ...live, settings: {} },
        { ...live, generations: [3] },
        { ...live, steps: [...live.steps.slice(1), { input: "@0", inputs: "@0" }] },
        { ...live, steps: [...live.steps.slice(1), { input: "@99", target: "@0" }] },
        { ...live, steps: [...live.steps.slice(1), { input: "@0", target: "@0", mask: "@0" }] },
      ].map((value) => said(made, value)),
    ).toMatchInlineSnapshot(`
      [
        "TypeError: truncated: resume must be what window.live gave, as a checkpoint holds it, got null",
        "TypeError: truncated: resume must be what window.live gave, as a checkpoint holds it, got a tensor",
        "TypeError: truncated: resume must be what window.live gave, as a checkpoint holds it, got [an object]",
        "TypeError: truncated: resume must be what window.live gave, as a checkpoint holds it, got "path"",
        "TypeError: truncated: resume must be what window.live gave, as a checkpoint holds it, got a window",
        "TypeError: truncated: resume: there is no option "ends", did you mean "end"? It takes index, end, settings, model, tape, shards, planned, states, steps, generations, tensors",
        "TypeError: truncated: the live window to resume must have a list of tensors as tensors, got undefined",
        "TypeError: truncated: the live window to resume must have a whole number of steps as end, got 8.5",
        "TypeError: truncated: the live window to resume must have a whole number of windows as index, got -1",
        "TypeError: truncated: the live window to resume must have a text or null as tape, got 3",
        "TypeError: truncated: the live window to resume must have a list of tensors as tensors, got others among them",
        "TypeError: truncated: the live window to resume: settings: there is no option "k3". It takes stale, k1, k2, losses, multiplicity, reduction, compile, burnIn, worker, workers",
        "RangeError: truncated: the live window to resume is of a stream with stale nothing, got stale "carry"; resume with the settings of that stream",
        "TypeError: truncated: the live window to resume: generation 0 must be { params, steps }, got 3",
        "TypeError: truncated: the live window to resume: step 8: there is no option "inputs", did you mean "input"? It takes input, target, reset, mask, first, isEmpty, fresh, noise",
        "RangeError: truncated: the live window to resume: "steps.3.input" is "@99", and there are 16 tensors, "@0" to "@15"",
        "TypeError: truncated: the live window to resume: the mask of step 8 must be int32 [24] of 0 and 1, got Tensor float64 [2,12]; convert it with cast(x, "int32")",
      ]
    `);
  });

  test("numbers that do not fit together", () => {
    const [generation] = live.generations;
    const compiled = liveOf({ compile: true, k2: 4 });
    expect([
      said(made, { ...live, end: 10 }),
      said(made, { ...live, index: 4 }),
      said(made, { ...live, steps: live.steps.slice(1) }),
      said(made, { ...live, states: [] }),
      said(made, { ...live, generations: [generation] }),
      said(made, { ...live, generations: [generation, { ...generation, steps: 0 }] }),
      said(compiled, {
        ...compiled.live,
        generations: [1, 3].map((steps) => ({ ...compiled.live.generations[0], steps })),
      }),
      said(compiled, { ...compiled.live, planned: compiled.live.steps.slice(1) }),
    ]).toMatchInlineSnapshot(`
      [
        "RangeError: truncated: the live window to resume says that window 3 ended at step 10, and with k1 2 and burnIn 0 it ends at step 8",
        "RangeError: truncated: the live window to resume says that window 4 ended at step 8, and with k1 2 and burnIn 0 it ends at step 10",
        "RangeError: truncated: the live window to resume must hold the 4 steps that the next window may reach back to, got 3",
        "RangeError: truncated: the live window to resume must hold 1 state, got 0",
        "RangeError: truncated: the live window to resume must hold the parameters of 4 steps, got 2",
        "TypeError: truncated: the live window to resume: generation 1 must be { params, steps }, got an object",
        "RangeError: truncated: the live window to resume has parameters with which 1 steps ran, and plans take 2 steps at once",
        "RangeError: truncated: the live window to resume has 3 planned steps, and plans take 2 steps at once",
      ]
    `);
  });

  test("another cell, dtype or shape", () => {
    const other = liveOf({ stale: "recompute" });
    const cast = (dtype: "float32" | "float64") =>
      tree.map<unknown, Tensor>(live, (x: Tensor) => x.cast(dtype)) as LiveWindow;
    const wide = lstm({ input: 2, hidden: 4 });
    const params = initialParams(wide, rng(1), { dtype: "float64" });
    const [, ...rest] = live.tensors;
    const { h: at } = live.states[0] as { h: string };
    const withState = (change: (h: Tensor) => Tensor) => {
      const tensors = live.tensors.map((x, i) => (`@${i}` === at ? change(x) : x));
      return { ...live, tensors };
    };
    expect([
      said(made, cast("float32")),
      said({ ...made, params: params as never }, live, {}, wide),
      said({ ...other, params: params as never }, other.live, {}, wide),
      said(made, live, {}, models.gru!().cell as unknown),
      said(made, {
        ...live,
        generations: live.generations.map((g) => ({ ...g, params: live.states[0] })),
      }),
      said(made, { ...live, tensors: [tensor([[1, 2, 3]], { dtype: "float64" }), ...rest] }),
      said(
        made,
        withState((h) => h.slice([[0, 1]])),
      ),
      said(
        made,
        withState((h) =>
          h.slice([
            [0, 2],
            [0, 2],
          ]),
        ),
      ),
      said(
        made,
        withState((h) => h.cast("float32")),
      ),
      said(made, { ...live, states: [{ h: "@0" }] }),
      said(made, {
        ...live,
        tensors: live.tensors.map((x) => (x.shape[1] === 2 ? x.mul(Number.NaN) : x)),
      }),
    ]).toMatchInlineSnapshot(`
      [
        "TypeError: truncated: the live window to resume: generation 0 must have the parameters of the model, W Tensor float64 [2,12], got Tensor float32 [2,12]",
        "TypeError: truncated: the live window to resume is of a model with W float64 [2,12], got W float64 [2,16] in its place; resume with the model of that stream",
        "TypeError: truncated: the live window to resume is of a model with W float64 [2,12], got W float64 [2,16] in its place; resume with the model of that stream",
        "TypeError: truncated: the live window to resume: its state must have the tensors of the cell's state, h, got h, c; initialState(cell, batch) has them",
        "TypeError: truncated: the live window to resume: generation 0 must have the parameters of the model, W Tensor float64 [2,12], got none",
        "TypeError: truncated: the live window to resume: generation 0 must have the parameters of the model, W Tensor float64 [2,12], got Tensor float64 [1,3]",
        "RangeError: truncated: step 5: lstm: the state "c" [2,3] has 2 rows, and the state "h" [1,3] has 1; give both one row for each sequence of the batch",
        "RangeError: truncated: step 5: matmul: inner dimensions must agree, got [2,2] and [3,12]; transpose one operand?",
        "TypeError: truncated: step 5: matmul: arguments must share a dtype, got float32 for a and float64 for b; convert one with cast(x, "float32")",
        "TypeError: truncated: the live window to resume: its state must have the tensors of the cell's state, h, c, got h; initialState(cell, batch) has them",
        "RangeError: truncated: the loss of step 5 is NaN; forward: the constant a holds NaN at [0,0]: matmul [2,2] [2,12] -> [2,12] (entry 0), time step 5; the constant a is NaN there; "W" is at most 1.0981804669768884 in size, at [0,1]; lower the learning rate, clip gradients, or look at the input of that step",
      ]
    `);
  });

  test("tensors that are gone, or that a tape tracks", () => {
    const ended = filed(live);
    applyUpdates(ended.tensors[1]!, ended.tensors[1]!.mul(0));
    const inside = (x: Tensor) => {
      const found = said(made, { ...live, tensors: [x, ...live.tensors.slice(1)] });
      if (found !== "nothing was said") throw new Error(found);
      return x.sum();
    };
    expect([
      said(made, ended),
      message(() => grad(inside)(live.tensors[0]!)),
    ]).toMatchInlineSnapshot(`
      [
        "Error: truncated: the live window to resume: tensor 1 is gone: applyUpdates consumed it; use what that call returned, or pass clone(...) to keep the old value",
        "Error: TypeError: truncated: the live window to resume: tensor 0 [2,12] is tracked by a tape around the stream (grad, vjp, jvp or one of yours); a window is a constant to that tape, so derivatives through it would be zero; differentiate unroll instead, or pass detach(...)ed values",
      ]
    `);
  });

  test("further steps after the last window, and steps that no file can hold", () => {
    const last = liveOf({}, 5);
    const { steps } = problem("lstm", 2, 1);
    const short = liveOf({ k1: 5 }, 2);
    const deferred = liveOf({ stale: "defer" }, 0);
    expect([
      said({ ...short, rest: steps }, short.live),
      said({ ...deferred, rest: steps }, deferred.live),
      said({ ...last, rest: steps }, last.live),
    ]).toMatchInlineSnapshot(`
      [
        "RangeError: truncated: the live window to resume ended its stream at step 12, and now there are further steps; begin another stream from its state, with { state: window.state }",
        "RangeError: truncated: the live window to resume ended its stream at step 12, and now there are further steps; begin another stream from its state, with { state: window.state }",
        "nothing was said",
      ]
    `);
    const { cell, params, loss } = problem("lstm", 2, 1);
    class Row {
      readonly x = 1;
    }
    const wrapped = steps.map(({ input, target }) => ({
      input,
      target: { target, row: new Row() },
    }));
    const unwrapped = {
      k1: 1,
      k2: 2,
      loss: (y: Tensor, t: { target: Tensor }) => loss(y, t.target),
    };
    expect(
      Array.from(truncated(cell, params, wrapped, unwrapped), (w) => message(() => w.live)),
    ).toMatchInlineSnapshot(`
      [
        "TypeError: truncated: a live window holds tensors, numbers and texts in plain objects and arrays, got an instance of Row at "step 1.target.row"; give it to the model from outside",
        "TypeError: truncated: a live window holds tensors, numbers and texts in plain objects and arrays, got an instance of Row at "step 2.target.row"; give it to the model from outside",
      ]
    `);
  });

  test("steps and parameters that were changed through a live view", () => {
    const { cell, params, steps, loss } = problem("lstm", 6, 1);
    const found: string[] = [];
    for (const window of truncated(cell, params, steps, { k1: 2, k2: 4, loss })) {
      if (window.index === 1) {
        liveView(steps[3]!.input);
        found.push(message(() => window.live));
        break;
      }
    }
    for (const window of truncated(cell, params, steps, { k1: 2, k2: 4, loss })) {
      liveView((params as unknown as { W: Tensor }).W);
      found.push(message(() => window.live));
      break;
    }
    expect(found).toMatchInlineSnapshot(`
      [
        "Error: truncated: a value of step 4 was changed through a live view after the step had come; yield tensors of its own with each step, such as clone(x)",
        "Error: truncated: the parameters of step 1 were changed through a live view after it ran, so they cannot be part of a live window; change a clone(...) instead",
      ]
    `);
  });
});
