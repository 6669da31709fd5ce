import { concat, grad, type Tensor, tensor, where } from "@chronograd/autodiff";
import { checkGradients } from "@chronograd/autodiff/testing";
import { init, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  bidirectional,
  defineCell,
  elman,
  gru,
  initialParams,
  initialState,
  lstm,
  type Merge,
  stacked,
  truncated,
  unroll,
} from "../../src/index.ts";
import { cells } from "../../src/testing/fast-check.ts";
import { cellLaws } from "../../src/testing.ts";
import { bits, normal, paramsOf, said } from "./setup.ts";

/** What each merge is, from the outputs of both directions. */
const merges: Record<Merge, (a: Tensor, b: Tensor) => Tensor> = {
  concat: (a, b) => concat([a, b], -1),
  sum: (a, b) => a.add(b),
  mean: (a, b) => a.add(b).div(2),
  product: (a, b) => a.mul(b),
};

test("merges what both cells give, one forwards and one in reverse", () => {
  fc.assert(
    fc.property(
      cells(),
      fc.constantFrom(...(Object.keys(merges) as Merge[])),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(1000),
      ({ cell, input }, merge, T, seed) => {
        const model = bidirectional(cell, { merge });
        const params = paramsOf(model, seed);
        const inputs = normal([T, 2, input], seed);
        const found = unroll(model, params, inputs);
        const there = unroll(cell, params.forward, inputs);
        const back = unroll(cell, params.backward, inputs, { reverse: true });
        expect(bits(found.outputs)).toEqual(bits(merges[merge](there.outputs, back.outputs)));
        expect(bits(found.state)).toEqual(bits({ forward: there.state, backward: back.state }));
      },
    ),
    { numRuns: 30 },
  );
});

describe("two cells", () => {
  const forward = lstm({ input: 2, hidden: 3 });
  const backward = gru({ input: 2, hidden: 1 });
  const model = bidirectional(forward, { backward });

  test("may be of different kinds and widths, each from its own state", () => {
    const params = paramsOf(model, 3);
    expectTypeOf(params.forward.W).toEqualTypeOf<Tensor>();
    expectTypeOf(params.backward.bn).toEqualTypeOf<Tensor>();
    const inputs = normal([4, 2, 2], 3);
    const state = {
      forward: { h: normal([2, 3], 5), c: normal([2, 3], 6) },
      backward: { h: normal([2, 1], 7) },
    };
    const { outputs } = unroll(model, params, inputs, { state });
    const there = unroll(forward, params.forward, inputs, { state: state.forward });
    const back = unroll(backward, params.backward, inputs, {
      state: state.backward,
      reverse: true,
    });
    expect(bits(outputs)).toEqual(bits(merges.concat(there.outputs, back.outputs)));
  });

  test("have parameters drawn apart, and states of their own", () => {
    const params = initialParams(bidirectional(forward), rng(1));
    expect(bits(params.forward.W)).not.toEqual(bits(params.backward.W));
    const state = initialState(model, 2);
    expect([state.forward.c.shape, state.backward.h.shape]).toEqual([
      [2, 3],
      [2, 1],
    ]);
  });

  test("in reverse run the other way round", () => {
    const params = paramsOf(model, 3);
    const list = [1, 2, 3, 4].map((seed) => normal([2, 2], seed));
    const found = unroll(model, params, list, { reverse: true });
    const flipped = unroll(model, params, list.toReversed());
    expect(bits(found.state)).toEqual(bits(flipped.state));
    for (const t of [0, 1, 2, 3]) {
      expect(bits(found.outputs.slice([t]))).toEqual(bits(flipped.outputs.slice([3 - t])));
    }
  });

  test("have the gradients of differences, by parameters, states and inputs", () => {
    for (const merge of ["concat", "mean", "product"] as const) {
      const both = bidirectional(elman({ input: 2, hidden: 2 }), { merge });
      const state = { forward: { h: normal([2, 2], 1) }, backward: { h: normal([2, 2], 2) } };
      const given = { params: paramsOf(both, 3), inputs: normal([3, 2, 2], 4), state };
      const f = (at: typeof given) => unroll(both, at.params, at.inputs, { state: at.state });
      checkGradients(f, given).assert();
    }
  });
});

test("outputs that are trees are merged leaf by leaf", () => {
  const twin = defineCell({
    params: ({ input, hidden }) => ({ W: init.glorot(input, hidden) }),
    state: ({ hidden }) => ({ h: init.zeros(hidden) }),
    step: ({ W }, x: Tensor, { h }) => {
      const next = x.matmul(W).add(h).tanh();
      return [{ up: next, down: [next.neg()] }, { h: next }];
    },
  })({ input: 2, hidden: 3 });
  const model = bidirectional(twin);
  const { outputs } = unroll(model, paramsOf(model, 1), normal([4, 2, 2], 2));
  expect([outputs.up.shape, outputs.down[0]!.shape]).toEqual([
    [4, 2, 6],
    [4, 2, 6],
  ]);
  expect(bits(outputs.down)).toEqual(bits(outputs.up.neg()));
});

describe("rows that come and go", () => {
  const model = bidirectional(lstm({ input: 2, hidden: 3 }));
  const params = paramsOf(model, 3);
  const rowOf = (x: Tensor, row: number, from: number, to: number) =>
    x.slice([
      [from, to],
      [row, row + 1],
    ]);

  test("a row of a ragged batch is that row alone, bit by bit, forwards and back", () => {
    const T = 6;
    const inputs = normal([T, 3, 2], 4);
    const lengths = [6, 2, 4];
    const { outputs, state } = unroll(model, params, inputs, { lengths });
    for (const [row, length] of lengths.entries()) {
      const alone = unroll(model, params, rowOf(inputs, row, 0, length));
      expect(bits(rowOf(outputs, row, 0, length))).toEqual(bits(alone.outputs));
      if (length < T) {
        expect(bits(rowOf(outputs, row, length, T)).every((y) => y === 0)).toBe(true);
      }
      for (const name of ["forward", "backward"] as const) {
        expect(bits(state[name].h.slice([[row, row + 1]]))).toEqual(bits(alone.state[name].h));
      }
    }
  });

  test("NaN behind the end of a row reaches nothing, forwards or back", () => {
    const clean = normal([4, 2, 2], 4);
    const padding = tensor(Int32Array.of(0, 0, 0, 0, 0, 1, 0, 1), { shape: [4, 2, 1] });
    const inputs = where(padding, Number.NaN, clean);
    const options = { lengths: [4, 2] };
    const loss = (p: typeof params, x: Tensor) =>
      unroll(model, p, x, options).outputs.square().sum();
    expect(loss(params, inputs).item()).toBe(loss(params, clean).item());
    const [found, expected] = [inputs, clean].map((x) =>
      bits(grad((p: typeof params) => loss(p, x))(params)),
    );
    expect(found).toEqual(expected);
  });

  test("resets keep the segments of a row apart in both directions", () => {
    const inputs = normal([6, 2, 2], 5);
    const resets = tensor(
      Int32Array.from({ length: 12 }, (_, i) => ([4, 8, 7].includes(i) ? 1 : 0)),
      { shape: [6, 2] },
    );
    const { outputs } = unroll(model, params, inputs, { resets });
    // Row 0 begins afresh at steps 3 and 5, row 1 at step 4.
    for (const [row, from, to] of [
      [0, 0, 2],
      [0, 2, 4],
      [0, 4, 6],
      [1, 0, 3],
      [1, 3, 6],
    ] as const) {
      const alone = unroll(model, params, rowOf(inputs, row, from, to));
      expect(bits(rowOf(outputs, row, from, to))).toEqual(bits(alone.outputs));
    }
  });

  test("a ragged stack with residuals is its rows alone", () => {
    const deep = stacked(
      [model, gru({ input: 6, hidden: 6 }), bidirectional(gru({ input: 6, hidden: 3 }))],
      {
        residual: true,
      },
    );
    const own = paramsOf(deep, 3);
    const inputs = normal([5, 2, 2], 4);
    const { outputs } = unroll(deep, own, inputs, { lengths: [5, 3] });
    const alone = unroll(deep, own, rowOf(inputs, 1, 0, 3));
    expect(bits(rowOf(outputs, 1, 0, 3))).toEqual(bits(alone.outputs));
    expect(bits(rowOf(outputs, 1, 3, 5)).every((y) => y === 0)).toBe(true);
  });
});

describe("what is refused", () => {
  const cell = lstm({ input: 2, hidden: 3 });
  const narrow = gru({ input: 2, hidden: 2 });
  const counting = defineCell({
    params: () => ({ w: init.zeros(1) }),
    state: () => ({ h: init.zeros() }),
    step: ({ w }, x: Tensor, { h }) => {
      const next = h.add(x.mul(w).sum(-1));
      return [next, { h: next }];
    },
  })({ input: 2, hidden: 1 });

  test("at the call", () => {
    expect([
      said(() => bidirectional(lstm as never)),
      said(() => bidirectional(cell, { backward: {} as never })),
      said(() => bidirectional(bidirectional(cell) as never)),
      said(() => bidirectional(cell, { merge: "sums" as never })),
      said(() => bidirectional(cell, { merge: undefined as never, back: narrow } as never)),
      said(() => bidirectional(cell, { merge: "toString" as never })),
    ]).toMatchInlineSnapshot(`
      [
        "TypeError: bidirectional: expected a cell, { params, state, step }, got the family lstm; a family gives a cell when it is called with sizes, such as lstm({ input: 3, hidden: 5 })",
        "TypeError: bidirectional: expected a cell, { params, state, step }, got an object without step",
        "TypeError: bidirectional: a model of whole sequences, as bidirectional makes one, has no step of its own, because a step would need later inputs; give a cell, and stack the models with stacked([...])",
        "TypeError: bidirectional: merge must be one of "concat", "sum", "mean", "product", got "sums"; did you mean "sum"?",
        "TypeError: bidirectional: there is no option "back", did you mean "backward"? It takes backward, merge",
        "TypeError: bidirectional: merge must be one of "concat", "sum", "mean", "product", got "toString"",
      ]
    `);
  });

  test("outputs that do not fit", () => {
    const run = (model: ReturnType<typeof bidirectional>) =>
      said(() => unroll(model as never, paramsOf(model, 1) as never, normal([4, 2, 2], 2)));
    expect([
      run(bidirectional(cell, { backward: narrow, merge: "sum" }) as never),
      run(bidirectional(counting) as never),
    ]).toMatchInlineSnapshot(`
      [
        "RangeError: bidirectional: merge "sum" needs outputs of one shape (merge "concat" takes others), got [4,2,3] forwards and [4,2,2] in reverse",
        "RangeError: bidirectional: merge "concat" needs outputs that differ in their last axis only, which is not that of the rows, got [4,2] forwards and [4,2] in reverse",
      ]
    `);
    expect(run(bidirectional(counting, { merge: "sum" }) as never)).toBe("nothing");
  });

  test("a state without a part", () => {
    const model = bidirectional(cell);
    const deep = stacked([model, gru({ input: 6, hidden: 2 })]);
    const forward = initialState(cell, 1, { dtype: "float64" });
    const inputs = normal([3, 1, 2], 1);
    expect([
      said(() => unroll(model, paramsOf(model, 1), inputs, { state: { forward } as never })),
      said(() => unroll(deep, paramsOf(deep, 1), inputs, { state: [] as never })),
    ]).toMatchInlineSnapshot(`
      [
        "TypeError: unroll: the state must have the tensors of the cell's state, forward.h, forward.c, backward.h, backward.c, got forward.h, forward.c; initialState(cell, batch) has them",
        "TypeError: unroll: the state must have the tensors of the cell's state, 0.forward.h, 0.forward.c, 0.backward.h, 0.backward.c, 1.h, got none; initialState(cell, batch) has them",
      ]
    `);
  });

  test("steps that only warm up", () => {
    const model = bidirectional(cell);
    const run = (deep: typeof model) =>
      said(() => unroll(deep, paramsOf(deep, 1), normal([3, 1, 2], 1), { burnIn: 1 }));
    expect(run(model)).toMatchInlineSnapshot(
      `"RangeError: unroll: a model that runs part by part over a whole sequence takes no burnIn, got 1; leave it out, and give the first steps no loss"`,
    );
    expect(run(stacked([model]) as never)).toBe(run(model));
  });

  test("a stream of windows, and the laws of a step", () => {
    const model = bidirectional(cell);
    const params = initialParams(model, rng(1));
    const options = { k1: 1, k2: 1, loss: (y: Tensor) => y };
    expect([
      said(() => truncated(model as never, params as never, [], options)),
      said(() => cellLaws(model as never)),
    ]).toMatchInlineSnapshot(`
      [
        "TypeError: truncated: a model of whole sequences, as bidirectional makes one, has no step of its own, because a step would need later inputs; run whole sequences with unroll, and differentiate that",
        "TypeError: cellLaws: a model of whole sequences, as bidirectional makes one, has no step of its own, because a step would need later inputs; give the laws of the cells that it is made of",
      ]
    `);
  });

  test("a backward state that goes on where the sequence began", () => {
    const model = bidirectional(cell);
    const params = paramsOf(model, 1);
    const inputs = normal([4, 2, 2], 2);
    const { state } = unroll(model, params, inputs);
    expect(said(() => unroll(model, params, inputs, { state }))).toMatchInlineSnapshot(
      `"TypeError: unroll: the backward state of bidirectional is where an earlier unroll ended, at the first step of its sequence; carry the forward state alone: { state: { forward: state.forward, backward: initialState(cell, batch) } }"`,
    );
    const fresh = initialState(cell, 2, { dtype: "float64" });
    const carried = { forward: state.forward, backward: fresh };
    // What was given may be given again, also where no row has a step.
    unroll(model, params, inputs, { state: carried, lengths: [0, 0] });
    const { outputs } = unroll(model, params, inputs, { state: carried });
    expect(outputs.shape).toEqual([4, 2, 6]);
  });
});
