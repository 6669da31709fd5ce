import { createBackend, scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { runWorkers } from "@chronograd/nn/node";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LiveWindow, type TimeStep, truncated } from "../../src/index.ts";
import { filed, models, plainRun, type Run, windowsOf } from "./interrupted.ts";
import { type AnyParams, modes, numbers, problem } from "./setup.ts";
import { liveOf, message } from "./stopped.ts";

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
