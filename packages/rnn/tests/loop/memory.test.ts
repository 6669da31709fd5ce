import { defaultBackend, scope, Tape, type Tensor, tree, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unroll } from "../../src/index.ts";
import { models } from "./models.ts";
import { joined, type Problem, problem, run } from "./setup.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);
const { memory } = defaultBackend();

/** Shapes of what a problem returns, which take a run to tell. */
const returned = new WeakMap<Problem, readonly Pick<Tensor, "shape" | "dtype">[]>();

/** Kernel memory that a loop and its sweep take at most, beside what the call was given. */
function peakOf(p: Problem, how: object) {
  const { model, given, by, options, seed: drawnBy, isJoined } = p;
  return scope(() => {
    const inputs = isJoined ? joined(given.inputs) : given.inputs;
    const all = { ...given, inputs };
    const tape = new Tape();
    const own = tape.watch(Object.fromEntries(by.map((name) => [name, all[name]]))) as typeof all;
    const { params, inputs: xs, ...rest } = { ...all, ...own };
    const call = (more: object) =>
      unroll(model as never, params as never, xs as never, {
        ...options,
        ...(rest as object),
        rng: rng(drawnBy, "noise"),
        ...more,
      });
    const shapes =
      returned.get(p) ??
      scope(() =>
        tree.leaves(call({ memory: "all" })).map(({ shape, dtype }) => ({ shape, dtype }) as never),
      );
    returned.set(p, shapes);
    const g = shapes.map(({ shape, dtype }) => zeros(shape, { dtype }));
    const before = memory.bytesInUse;
    const peak = memory.peakDuring(() => {
      const results = tree.leaves(call(how));
      const targets = results.filter((y) => tape.tracks(y));
      const cotangent = g.filter((_, i) => tape.tracks(results[i]!));
      if (targets.length > 0) tape.gradient(targets, own, { cotangent });
    });
    return peak - before;
  });
}

/** The bytes that a refusal names; `undefined` when the call runs. */
function refused(call: () => unknown): number | undefined {
  try {
    call();
  } catch (error) {
    return Number(/which needs \{ bytes: (\d+) \} at least/.exec(String(error))?.[1]);
  }
  return undefined;
}

const names = Object.keys(models).filter((name) => !models[name]!.isWhole);
const planned = names.filter((name) => !models[name]!.isUnplanned);

const cases = fc
  .record({
    name: fc.constantFrom(...names),
    T: fc.integer({ min: 1, max: 70 }),
    B: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat(100_000),
  })
  .map((shape) => {
    const p = problem(shape);
    return { ...p, options: { ...p.options, burnIn: 0 } };
  });

describe.each([false, true])("compile %s", (compile) => {
  const mine = cases.filter(({ name }) => !compile || planned.includes(name));

  test("the peak of a loop and its sweep stays within any budget that is taken", () => {
    fc.assert(
      fc.property(mine, fc.double({ min: 0, max: 1, noNaN: true }), (p, more) => {
        const least = refused(() => peakOf(p, { compile, memory: { bytes: 1 } }))!;
        expect(least).toBeGreaterThan(1);
        for (const factor of [1, 1 + more / 10, 1 + 3 * more]) {
          const bytes = Math.floor(least * factor);
          expect(peakOf(p, { compile, memory: { bytes } })).toBeLessThanOrEqual(bytes);
        }
      }),
      { numRuns: 20, seed },
    );
  });

  test("the number that a refusal names is enough, and one byte less is refused with it", () => {
    fc.assert(
      fc.property(mine, (p) => {
        // A plan that was made for the first call is there in the second.
        refused(() => peakOf(p, { compile, memory: { bytes: 1 } }));
        const least = refused(() => peakOf(p, { compile, memory: { bytes: 1 } }))!;
        const less = { compile, memory: { bytes: least - 1 } };
        expect(refused(() => peakOf(p, less))).toBe(least);
        expect(refused(() => peakOf(p, { compile, memory: { bytes: least } }))).toBeUndefined();
      }),
      { numRuns: 25, seed },
    );
  });

  test("gradients are bit by bit those of everything kept, whatever the budget", () => {
    fc.assert(
      fc.property(mine, fc.integer({ min: 1, max: 9 }), fc.nat(40), (p, steps, percent) => {
        const all = run(p, { compile, memory: "all" });
        expect(run(p, { compile, memory: { steps } })).toEqual(all);
        const least = refused(() => run(p, { compile, memory: { bytes: 1 } }))!;
        const bytes = Math.floor(least * (1 + percent / 100));
        expect(run(p, { compile, memory: { bytes } })).toEqual(all);
      }),
      { numRuns: 25, seed },
    );
  });
});

test("the outputs of a long sequence are within the budget too, several of them", () => {
  for (const name of ["gated", "tallying", "bare", "elman", "told"]) {
    for (const compile of [false, true]) {
      const drawnProblem = problem({ name, T: 150, B: 12, seed: 3 });
      const p = { ...drawnProblem, options: {}, by: ["params", "inputs"] as const };
      const least = refused(() => peakOf(p, { compile, memory: { bytes: 1 } }))!;
      const peak = peakOf(p, { compile, memory: { bytes: least } });
      expect([name, compile, peak <= least]).toEqual([name, compile, true]);
    }
  }
});

test("a budget with a burn-in: the number that is named is enough", () => {
  for (const compile of [false, true]) {
    const drawnProblem = problem({ name: "variational", T: 40, B: 2, seed: 5 });
    const p = { ...drawnProblem, options: { burnIn: 30 }, by: ["params"] as const };
    const least = refused(() => peakOf(p, { compile, memory: { bytes: 1 } }))!;
    expect(peakOf(p, { compile, memory: { bytes: least } })).toBeLessThanOrEqual(least);
  }
});

test("bytes bound one loop: a model of several is refused", () => {
  for (const name of ["bidirectional", "bidirectional in turn"]) {
    const p = { ...problem({ name, T: 20, B: 2, seed: 5 }), options: {} };
    expect(() => run(p, { memory: { bytes: 2 ** 28 } })).toThrow(
      /memory \{ bytes: 268435456 \} bounds one loop, and .* runs several, .* give memory \{ steps: n \}/,
    );
  }
});

test("where nothing is watched, nothing is kept", () => {
  for (const compile of [false, true]) {
    for (const how of ["all", { steps: 3 }, { bytes: 2 ** 20 }] as const) {
      const p = { ...problem({ name: "lstm", T: 200, B: 2, seed: 1 }), by: [], options: {} };
      peakOf(p, { compile, memory: how });
      const outputs = 200 * 2 * 3 * 8;
      expect(peakOf(p, { compile, memory: how })).toBeLessThan(2 * outputs + 2 ** 16);
    }
  }
});
