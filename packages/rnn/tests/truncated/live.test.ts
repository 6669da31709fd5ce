import { createBackend, grad, scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { liveView } from "@chronograd/autodiff/ndarray";
import { applyUpdates, rng } from "@chronograd/nn";
import { runWorkers } from "@chronograd/nn/node";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { initialParams, type LiveWindow, lstm, type TimeStep, truncated } from "../../src/index.ts";
import { filed, models, plainRun, type Run, windowsOf } from "./interrupted.ts";
import { type AnyParams, modes, numbers, problem } from "./setup.ts";

/** Random runs: k1 and k2 as they come, with plans where their cuts have chunks in common. */
const runs: fc.Arbitrary<Run> = fc
  .record({
    model: fc.constantFrom(...Object.keys(models)),
    seed: fc.nat(10_000),
    windows: fc.integer({ min: 1, max: 6 }),
    short: fc.nat(3),
    B: fc.integer({ min: 1, max: 3 }),
    dtype: fc.constantFrom("float32" as const, "float64" as const),
    chunk: fc.integer({ min: 1, max: 3 }),
    new: fc.integer({ min: 1, max: 3 }),
    more: fc.oneof(fc.nat(4), fc.nat(4), fc.constant(Infinity)),
    stale: fc.constantFrom("carry" as const, ...modes),
    losses: fc.constantFrom("new" as const, "endpoint" as const, "window" as const),
    multiplicity: fc.boolean(),
    reduction: fc.constantFrom("sum" as const, "mean" as const),
    compile: fc.boolean(),
    burnIn: fc.oneof(fc.constant(0), fc.nat(2)),
    measured: fc.boolean(),
    marked: fc.boolean(),
    whole: fc.boolean(),
    given: fc.boolean(),
    reads: fc.boolean(),
    updates: fc.boolean(),
  })
  .map(({ windows, short, chunk, new: some, more, ...run }) => {
    const k1 = chunk * some;
    const k2 = k1 + chunk * more;
    const multiplicity = run.multiplicity && run.losses === "window" && Number.isFinite(k2);
    const T = run.burnIn + Math.max(1, windows * k1 - Math.min(short, k1 - 1));
    return { ...run, k1, k2, multiplicity, T };
  });

describe("a stream that is resumed from a live window", () => {
  test("goes on as if it had never been interrupted, bit for bit", () => {
    fc.assert(
      fc.property(runs, fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }), (run, splits) => {
        scope(() => expect(windowsOf(run, splits)).toEqual(windowsOf(run)));
      }),
      {
        numRuns: 300,
        // A chunk with a step of no rows is no such as the plan was made for.
        examples: [[{ ...plainRun, compile: true, burnIn: 1, marked: true, k1: 4, T: 21 }, [2, 0]]],
      },
    );
  });

  test("needs all of it: by the state alone, k1 = 1 and k2 = 20 lose 19 steps of 20", () => {
    const { cell, params, steps, loss } = problem("lstm", 30, 4);
    const options = { k1: 1, k2: 20, loss };
    const norms = (from: number, more: object) =>
      Array.from(truncated(cell, params, steps.slice(from), { ...options, ...more }), (w) => {
        const squares = Object.values(numbers(w.gradients)).flat();
        return Math.hypot(...squares);
      });
    const whole = norms(0, {});
    for (const window of truncated(cell, params, steps, options)) {
      if (window.index !== 24) continue;
      expect(norms(25, { resume: window.live })).toEqual(whole.slice(25));
      const [first] = norms(25, { state: window.state });
      expect(first! / whole[25]!).toBeLessThan(0.7);
    }
  });

  test("goes on where steps come later", async () => {
    const { cell, params, steps, loss } = problem("gru", 11, 2);
    async function* later(from: number): AsyncGenerator<TimeStep> {
      for (const step of steps.slice(from)) {
        await Promise.resolve();
        yield step;
      }
    }
    const options = { k1: 2, k2: 5, loss, compile: true };
    const expected = Array.from(truncated(cell, params, steps, options), (w) =>
      numbers(w.gradients),
    );
    const found = [];
    let live: LiveWindow | undefined;
    for await (const window of truncated(cell, params, later(0), options)) {
      found.push(numbers(window.gradients));
      if (window.index < 2) continue;
      live = filed(window.live);
      break;
    }
    const rest = truncated(cell, params, later(live!.end), { ...options, resume: live! });
    for await (const window of rest) found.push(numbers(window.gradients));
    expect(found).toEqual(expected);
  });

  test("has no further window where that was the last", () => {
    for (const stale of modes) {
      for (const T of [11, 12]) {
        const run = { ...plainRun, stale, T };
        const last = stale === "defer" ? 0 : 5;
        expect(windowsOf(run, [last])).toEqual(windowsOf(run));
      }
    }
  });
});

/** The live window after some windows of a run, and what it came from. */
function liveOf(options: object = {}, index = 3) {
  const { cell, params, steps, loss } = problem("lstm", 12, 1);
  let present = tree.map(params, (x: Tensor) => x.clone()) as AnyParams;
  const all = { k1: 2, k2: 5, loss, ...options };
  for (const window of truncated(cell, present, steps, all)) {
    present = applyUpdates(
      present,
      tree.map(window.gradients, (g: Tensor) => g.mul(-0.05)) as AnyParams,
    ) as AnyParams;
    if (window.index < index) continue;
    return { cell, params: present, rest: steps.slice(window.end), all, live: filed(window.live) };
  }
  throw new Error("there is no such window");
}

describe("a stream that goes on", () => {
  test("names steps as they are, and runs them as those before", () => {
    const { cell, params, rest, all, live } = liveOf({ compile: true, k2: 4 });
    const torn = [{ ...rest[0]!, target: tensor([1, 2, 3, 4]) }];
    const stream = truncated(cell, params, torn, { ...all, resume: live });
    expect(message(() => stream.next())).toMatch(/^TypeError: truncated: the loss of step 9: /);
    const resume = { ...live, tape: "it was so before" };
    const explained = (given: LiveWindow) => {
      const [window] = truncated(cell, params, rest, { ...all, resume: given });
      return window!.explain();
    };
    expect(explained(resume)).toBe("step by step on a tape, because it was so before");
    expect(explained(live)).toMatch(/^\d+ kernel calls/);
  });

  test("goes on with all of its workers, and the rows of each", async () => {
    expect(await runWorkers(new URL("./liveWorkers.ts", import.meta.url), { workers: 2 })).toEqual(
      Array(2).fill({
        whole: true,
        exchanged:
          "RangeError: truncated: the live window to resume is of a stream with worker RANK, got worker RANK; resume with the settings of that stream",
        apart:
          "RangeError: truncated: the live windows of all workers must end at the same step, got step 4 on worker 0 of 2 and step 6 on worker 1 for window 0; resume all of them from one checkpoint",
      }),
    );
  });
});

describe("a live window", () => {
  test("has the steps that a window may reach back to, and each generation of weights once", () => {
    const { live } = liveOf();
    expect(live).toMatchObject({ index: 3, end: 8, tape: "compile is not true", planned: [] });
    expect(live.steps).toHaveLength(4);
    expect(live.generations.map(({ steps }) => steps)).toEqual([2, 2]);
    // A state of h and c, two generations of three parameters, an input and a target a step.
    expect(live.tensors).toHaveLength(2 + 2 * 3 + 4 * 2);
  });

  test("names parameters once where windows did not change them, and what steps share", () => {
    const { cell, params, loss } = problem("lstm", 1, 1);
    const target = tensor(new Float64Array(6), { shape: [2, 3] });
    const input = tensor(new Float64Array(4), { shape: [2, 2] });
    for (const compile of [false, true]) {
      const steps = Array.from({ length: 8 }, () => ({ input, target }));
      for (const window of truncated(cell, params, steps, { k1: 2, k2: 4, loss, compile })) {
        if (window.index < 2) continue;
        expect(window.live.generations).toHaveLength(1);
        expect(window.live.tensors).toHaveLength(2 + 3 + 2);
      }
    }
  });

  test("ends with its window, and leaves no memory behind", () => {
    const backend = createBackend();
    const of = (x: Tensor) => tensor(x.toTypedArray(), { shape: x.shape, dtype: x.dtype, backend });
    const { cell, params, steps, loss } = problem("lstm", 12, 1);
    const own = tree.map(params, of) as AnyParams;
    const ownSteps = steps.map((step) => tree.map(step, of) as TimeStep);
    /** The bytes that a stream, and the one that goes on from it, leave behind. */
    const left = (options: object) => {
      const held = backend.memory.bytesInUse;
      scope(() => {
        const all = { k1: 2, k2: 4, loss, ...options };
        let before: LiveWindow | undefined;
        let live: LiveWindow | undefined;
        for (const window of truncated(cell, own, ownSteps, all)) {
          for (const x of before?.tensors ?? []) expect(() => x.toArray()).toThrow(/is gone/);
          before = window.live;
          if (window.index !== 2) continue;
          live = tree.map<unknown, Tensor>(before, (x: Tensor) => x.clone()) as LiveWindow;
          break;
        }
        if (live === undefined) return;
        const rest = truncated(cell, own, ownSteps.slice(6), { ...all, resume: live });
        expect(Array.from(rest, ({ end }) => end)).toEqual([8, 10, 12]);
        for (const x of live.tensors) expect(x.toTypedArray()).toHaveLength(x.size);
      });
      return backend.memory.bytesInUse - held;
    };
    // A plan stays with the cell, once it is made.
    left({ compile: true });
    for (const stale of modes) {
      for (const compile of [false, true]) expect(left({ stale, compile })).toBe(0);
    }
  });
});

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

function message(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return String(error);
  }
  return "nothing was said";
}
