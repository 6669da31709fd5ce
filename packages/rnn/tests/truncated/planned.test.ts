import { createBackend, scope, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { adam, applyUpdates, dropout, linear, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  initialParams,
  lstm,
  sequential,
  type TruncatedOptions,
  truncated,
} from "../../src/index.ts";
import { chunkLength } from "../../src/truncated/engines/plan.ts";
import { type AnyParams, distance, type Numbers, numbers, type Problem, problem } from "./setup.ts";

type Options = Omit<TruncatedOptions<Record<string, never>>, "loss">;

/** What a stream yields while its parameters are updated, as plain numbers. */
function run({ cell, params, steps, loss }: Problem, options: Options, updates: boolean) {
  let present = tree.map(params, (x: Tensor) => x.clone()) as AnyParams;
  return Array.from(
    truncated(cell, present, steps, { ...options, loss }),
    ({ gradients, losses, start, newFrom, end, count, gradientCount, state }) => {
      const found = {
        gradients: numbers(gradients),
        state: numbers(state),
        losses,
        spans: { start, newFrom, end, count, gradientCount },
      };
      if (updates) {
        const step = tree.map(gradients, (g: Tensor) => g.mul(-0.05)) as AnyParams;
        present = applyUpdates(present, step) as AnyParams;
      }
      return found;
    },
  );
}

const settings = fc.record({
  name: fc.constantFrom("elman", "relu", "lstm", "gru"),
  T: fc.integer({ min: 1, max: 50 }),
  seed: fc.nat(10_000),
  k1: fc.integer({ min: 1, max: 6 }),
  more: fc.nat(8),
  losses: fc.constantFrom("new" as const, "endpoint" as const, "window" as const),
  reduction: fc.constantFrom("sum" as const, "mean" as const),
  stale: fc.constantFrom("carry" as const, "defer" as const),
  updates: fc.boolean(),
});

describe("a stream that runs as plans", () => {
  test("yields what it yields step by step: for any cuts, losses and updates in between", () => {
    fc.assert(
      fc.property(settings, ({ name, T, seed, k1, more, updates, ...rest }) => {
        scope(() => {
          const p = problem(name, T, seed);
          const options = { ...rest, k1, k2: k1 + more };
          const plain = run(p, { ...options, compile: false }, updates);
          const planned = run(p, { ...options, compile: true }, updates);
          expect(planned.map(({ spans }) => spans)).toEqual(plain.map(({ spans }) => spans));
          for (const [j, window] of planned.entries()) {
            const expected = plain[j]!;
            expect(distance(window.gradients, expected.gradients)).toBeLessThan(1e-11);
            expect(distance(window.state, expected.state)).toBeLessThan(1e-11);
            const asNumbers = (losses: readonly number[]): Numbers => ({ losses: [...losses] });
            expect(distance(asNumbers(window.losses), asNumbers(expected.losses))).toBeLessThan(
              1e-11,
            );
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  test("windows say how their steps run", () => {
    const p = problem("lstm", 40, 3);
    const said = (options: Omit<Options, "loss">, loss = p.loss) => {
      const words = Array.from(truncated(p.cell, p.params, p.steps, { ...options, loss }), (w) =>
        w.explain(),
      );
      return words.at(-2)!;
    };
    const cuts = { k1: 4, k2: 8 };
    expect(said({ ...cuts, compile: true })).toMatch(/^\d+ kernel calls/);
    const reading: typeof p.loss = (y, target) => p.loss(y.mul(y.sum().toArray<number>()), target);
    expect([
      said(cuts),
      said({ ...cuts, stale: "recompute", compile: true }),
      said({ ...cuts, compile: true }, reading),
    ]).toMatchInlineSnapshot(`
      [
        "step by step on a tape, because compile is not true",
        "step by step on a tape, because stale is "recompute", which reruns steps on tapes",
        "chunk by chunk on tapes, because a value that depends on the inputs was read or written by JavaScript (item, toArray, a live view, random numbers)",
      ]
    `);
  });

  test("chunks are as long as fits into every window and every cut", () => {
    expect(chunkLength(25, 50)).toBe(25);
    expect(chunkLength(4, 6)).toBe(2);
    expect(chunkLength(5, 7)).toBe(1);
    expect(chunkLength(6, Infinity)).toBe(6);
    // At most 64 steps are planned as a whole.
    expect(chunkLength(100, 200)).toBe(50);
    expect(chunkLength(128, 128)).toBe(64);
  });

  test("returns everything at its end, when left early, and when the loop throws", () => {
    const backend = createBackend();
    const of = (x: Tensor) => tensor(x.toTypedArray(), { shape: x.shape, dtype: x.dtype, backend });
    const model = sequential({
      cell: lstm({ input: 2, hidden: 3 }),
      head: linear({ input: 3, output: 1 }),
    });
    const params = initialParams(model, rng(1), { backend });
    function* steps() {
      for (let t = 0; t < 40; t++) {
        yield { input: of(tensor([[Math.sin(t), 1]])), target: zeros([1, 1], { backend }) };
      }
    }
    const options = {
      k1: 2,
      k2: 4,
      compile: true,
      loss: (y: Tensor, target: Tensor) => y.sub(target).square(),
    };
    // The plan stays with the model.
    for (const _ of truncated(model, params, steps(), options));
    const before = backend.memory.bytesInUse;
    for (const _ of truncated(model, params, steps(), options));
    expect(backend.memory.bytesInUse).toBe(before);
    for (const { index } of truncated(model, params, steps(), options)) if (index === 9) break;
    expect(backend.memory.bytesInUse).toBe(before);
    expect(() => {
      for (const { index } of truncated(model, params, steps(), options)) {
        if (index === 9) throw new Error("mine");
      }
    }).toThrow("mine");
    expect(backend.memory.bytesInUse).toBe(before);
  });

  test("holds no more memory for a stream ten times as long", () => {
    const peak = (T: number) => {
      const backend = createBackend();
      const cell = lstm({ input: 1, hidden: 4 });
      let params = initialParams(cell, rng(1), { backend });
      const optimizer = adam({ learningRate: 1e-3 });
      let state = optimizer.init(params);
      function* steps() {
        for (let t = 0; t < T; t++) {
          const input = tensor([[Math.sin(t)]], { backend });
          yield { input, target: zeros([1, 4], { backend }) };
        }
      }
      const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
      for (const { gradients } of truncated(cell, params, steps(), {
        k1: 5,
        k2: 10,
        loss,
        compile: true,
      })) {
        const [updates, next] = optimizer.update(gradients, state, params);
        params = applyUpdates(params, updates);
        state = next;
      }
      return backend.memory.peakBytes;
    };
    expect(peak(2000)).toBe(peak(200));
  });

  test("measures the gradient by the states as it is measured step by step", () => {
    scope(() => {
      const p = problem("gru", 24, 3);
      const norms = (compile: boolean) =>
        Array.from(
          truncated(p.cell, p.params, p.steps, {
            k1: 2,
            k2: 6,
            loss: p.loss,
            compile,
            measure: (window) => window % 3 === 1,
          }),
          ({ stateGradientNorms }) => stateGradientNorms ?? [],
        );
      const [planned, plain] = [norms(true), norms(false)];
      expect(planned.map((list) => list.length)).toEqual(plain.map((list) => list.length));
      expect(distance({ norms: planned.flat() }, { norms: plain.flat() })).toBeLessThan(1e-12);
    });
  });

  test.each([false, true])("measuring changes no bit of a gradient (compile: %s)", (compile) => {
    scope(() => {
      const p = problem("gru", 24, 3);
      const gradients = (measure?: (window: number) => boolean) =>
        Array.from(
          truncated(p.cell, p.params, p.steps, {
            k1: 2,
            k2: 6,
            loss: p.loss,
            compile,
            ...(measure && { measure }),
          }),
          (window) => tree.leaves(window.gradients).map((g) => [...g.toTypedArray()]),
        );
      expect(gradients((window) => window % 3 === 1)).toEqual(gradients());
    });
  });

  test("a model that draws random numbers runs as it is", () => {
    scope(() => {
      const losses = (compile: boolean) => {
        const inner = lstm({ input: 2, hidden: 3 });
        const [layer, random] = [dropout({ rate: 0.5 }), rng(3)];
        const model: typeof inner = {
          ...inner,
          step: (given, x, state) => {
            const [y, next] = inner.step(given, x, state);
            return [layer.apply(y, random), next];
          },
        };
        const params = initialParams(model, rng(1), { dtype: "float64" });
        const { steps } = problem("lstm", 30, 4);
        const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
        return Array.from(truncated(model, params, steps, { k1: 2, k2: 4, loss, compile })).flatMap(
          (window) => window.losses,
        );
      };
      expect(losses(true)).toEqual(losses(false));
    });
  });

  test("a loss that is not finite is told as it is step by step", () => {
    const steps = problem("lstm", 30, 4).steps.map((step, t) =>
      t === 21
        ? {
            ...step,
            target: tensor(
              [
                [0, Number.NaN, 0],
                [0, 0, 0],
              ],
              { dtype: "float64" },
            ),
          }
        : step,
    );
    const message = (compile: boolean) => {
      const p = problem("lstm", 30, 4);
      try {
        for (const _ of truncated(p.cell, p.params, steps, {
          k1: 2,
          k2: 6,
          loss: p.loss,
          compile,
        }));
      } catch (error) {
        return String(error);
      }
      return "nothing was thrown";
    };
    const [planned, plain] = [message(true), message(false)].map((text) =>
      text.replaceAll(/entry \d+/g, "entry"),
    );
    expect(planned).toBe(plain);
    expect(plain).toMatch(/the loss of step 22 is NaN; .*time step 22/);
  });
});
