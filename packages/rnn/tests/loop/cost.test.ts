import { grad, scope, type Tensor, zeros } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bidirectional,
  defineCell,
  elman,
  initialParams,
  initialState,
  lstm,
  unroll,
  unrollCost,
} from "../../src/index.ts";
import { normal, said } from "../models/setup.ts";

/** A cell that counts how often it is called. */
function counting() {
  let calls = 0;
  const cell = defineCell({
    params: () => ({ w: init.constant(0.5, 1) }),
    state: () => ({ h: init.zeros(1) }),
    step: ({ w }, x: Tensor, { h }) => {
      calls++;
      const next = h.mul(w).add(x).tanh();
      return [next, { h: next }];
    },
  })({ input: 1, hidden: 1 });
  const counted = (call: () => void) => {
    calls = 0;
    call();
    return calls;
  };
  return { cell, counted };
}

test("unrollCost tells how many steps run again, for states and for bytes", () => {
  const { cell, counted } = counting();
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const run = (T: number, options: object) =>
    scope(() =>
      counted(() =>
        grad((p: typeof params) => unroll(cell, p, normal([T, 1, 1], 1), options).outputs.sum())(
          params,
        ),
      ),
    );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 150 }),
      fc.integer({ min: 1, max: 12 }),
      fc.double({ min: 0, max: 3, noNaN: true }),
      (T, steps, more) => {
        const x = normal([T, 1, 1], 1);
        const kept = unrollCost(cell, params, x, { memory: { steps } });
        expect(kept.steps).toBe(T);
        expect(kept.states).toBeLessThanOrEqual(steps);
        expect(run(T, { memory: { steps } })).toBe(T + kept.rerun);
        const { least } = kept;
        const bytes = Math.floor(least * (1 + more));
        const options = { memory: { bytes } };
        const bounded = unrollCost(cell, params, x, options);
        expect(bounded.least).toBe(least);
        expect(bounded.bytes).toBeLessThanOrEqual(bytes);
        expect(run(T, options)).toBe(T + bounded.rerun);
        const all = unrollCost(cell, params, x, { memory: "all" });
        expect([all.recorded, all.rerun]).toEqual([T, 0]);
        expect(run(T, { memory: "all" })).toBe(T);
      },
    ),
    { numRuns: 60, seed: Number(process.env.CHRONOGRAD_SEED ?? 1) },
  );
});

test("the least that unrollCost tells is taken, and one byte less is refused", () => {
  const cell = lstm({ input: 2, hidden: 8 });
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const x = normal([70, 2, 2], 1);
  for (const options of [{}, { burnIn: 20 }, { lengths: [70, 33] }, { reverse: true }]) {
    for (const compile of [false, true]) {
      const call = (bytes: number) =>
        said(() =>
          grad((p: typeof params) =>
            unroll(cell, p, x, { ...options, compile, memory: { bytes } }).outputs.sum(),
          )(params),
        );
      unrollCost(cell, params, x, { ...options, compile, memory: "all" });
      const { least } = unrollCost(cell, params, x, { ...options, compile, memory: "all" });
      expect([options, compile, call(least)]).toEqual([options, compile, "nothing"]);
      expect(call(least - 1)).toMatch(new RegExp(`needs \\{ bytes: ${least} \\}`));
    }
  }
});

test("unrollCost leaves nothing, draws nothing and changes nothing", () => {
  const cell = elman({ input: 2, hidden: 3 });
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const { memory } = params.W.backend;
  const x = normal([30, 2, 2], 1);
  const random = rng(1);
  const state = random.getState();
  unrollCost(cell, params, x, { compile: true });
  const before = memory.bytesInUse;
  for (const compile of [false, true]) {
    for (const kept of ["all", { steps: 3 }, { bytes: 2 ** 20 }] as const) {
      unrollCost(cell, params, x, { compile, memory: kept, rng: random });
    }
  }
  expect(memory.bytesInUse).toBe(before);
  expect(random.getState()).toEqual(state);
});

test("refusals of unrollCost", () => {
  const cell = elman({ input: 2, hidden: 3 });
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const x = normal([5, 2, 2], 1);
  const both = bidirectional(cell);
  const errors = [
    said(() => unrollCost(both as never, initialParams(both, rng(1)) as never, x)),
    said(() => unrollCost(cell, params, x, { memori: "all" } as never)),
    said(() => unrollCost(cell, params, x, { memory: { bytes: 10 } })),
    said(() => unrollCost(cell, params, x, { memory: { steps: 0 } })),
    said(() => unrollCost(cell, params, [])),
    said(() => unrollCost(cell, params, x, { state: initialState(cell, 3) })),
    said(() => unrollCost(3 as never, params as never, x)),
  ];
  expect(errors).not.toContain("nothing");
  expect(errors).toMatchInlineSnapshot(`
    [
      "TypeError: unrollCost: a model of whole sequences, as bidirectional makes one, has no step of its own, because a step would need later inputs; ask for the cost of each of its cells",
      "TypeError: unroll: there is no option "memori", did you mean "memory"? It takes state, reverse, parallel, compile, memory, burnIn, context, rng, lengths, mask, resets, threads, shards",
      "RangeError: unroll: memory { bytes: 10 } is less than this model takes, which needs { bytes: 18720 } at least, to keep one state and run all 5 steps again for each; give it more, or shorten the sequence",
      "RangeError: unroll: memory { steps } must be a whole number from 1 to 2^53, got 0",
      "RangeError: unroll: expected at least one time step, got none",
      "RangeError: unroll: step 1: elman: the input [2,2] has 2 rows, and the state "h" [3,3] has 3; give both one row for each sequence of the batch",
      "TypeError: unrollCost: expected a cell, { params, state, step }, got 3",
    ]
  `);
});

test("steps that no row has cost no time of their own", () => {
  // A search for the next row that has one, from each of them, would take minutes.
  const T = 200_000;
  const cell = elman({ input: 1, hidden: 2 });
  const params = initialParams(cell, rng(1));
  const lengths = new Array<number>(8).fill(10);
  const { outputs } = unroll(cell, params, zeros([T, 8, 1]), { memory: { steps: 5 }, lengths });
  expect(outputs.shape).toEqual([T, 8, 2]);
});
