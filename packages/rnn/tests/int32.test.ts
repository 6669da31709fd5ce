import { type Tensor, tensor } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { expect, expectTypeOf, test } from "vitest";
import { defineCell, initialParams, initialState, truncated, unroll } from "../src/index.ts";
import { checkTruncated, symbols, testCell } from "../src/testing.ts";
import { modes } from "./truncated/setup.ts";

/** Symbols in; the state is a memory, the symbol that came last, and how many came. */
const bigram = defineCell({
  params: ({ hidden }) => ({ table: init.normal(1, 4, hidden), U: init.glorot(hidden, hidden) }),
  state: ({ hidden }) => ({
    h: init.zeros(hidden),
    last: init.zeros({ dtype: "int32" }),
    seen: init.zeros(1, { dtype: "int32" }),
  }),
  step: ({ table, U }, x: Tensor, { h, last, seen }) => {
    const next = table.gather(x).mul(table.gather(last)).add(h.matmul(U)).tanh();
    const more = seen.cast("float64").add(1).cast("int32");
    return [next, { h: next, last: x, seen: more }];
  },
})({ input: 4, hidden: 3 });

const xs = [
  [1, 2],
  [3, 0],
  [0, 3],
  [2, 2],
  [1, 0],
].map((x) => tensor(x, { dtype: "int32" }));

test("int32 initialisers give int32 states, whatever the dtype of the others", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const { h, last, seen } = initialState(bigram, 2, { dtype });
    expect([h.dtype, last.dtype, seen.dtype]).toEqual([dtype, "int32", "int32"]);
    expect([h.shape, last.shape, seen.shape]).toEqual([[2, 3], [2], [2, 1]]);
    expect(seen.toArray()).toEqual([[0], [0]]);
  }
});

test("unroll carries them, forwards and in reverse", () => {
  const params = initialParams(bigram, rng(1));
  const { state } = unroll(bigram, params, xs);
  expect([state.last.toArray(), state.seen.toArray()]).toEqual([
    [1, 0],
    [[5], [5]],
  ]);
  const back = unroll(bigram, params, xs, { reverse: true });
  expect(back.state.last.toArray()).toEqual([1, 2]);
  const half = unroll(bigram, params, xs.slice(0, 2));
  const rest = unroll(bigram, params, xs.slice(2), { state: half.state });
  expect(rest.state.h.toArray()).toEqual(state.h.toArray());
});

test.each(modes.flatMap((stale) => [1, 2, 3].map((k1) => ({ stale, k1 }))))(
  "truncated carries them, $stale, k1 = $k1",
  ({ stale, k1 }) => {
    const params = initialParams(bigram, rng(1));
    const steps = xs.map((input) => ({ input, target: null }));
    for (const compile of [false, true]) {
      const windows = truncated(bigram, params, steps, {
        k1,
        k2: k1 + 1,
        stale,
        compile,
        loss: (y: Tensor) => y.square(),
        measure: () => stale !== "defer",
      });
      const states = Array.from(windows, ({ state, end, gradients }) => {
        expect(gradients.table.norm().item()).toBeGreaterThan(0);
        return { end, last: state.last.toArray(), seen: state.seen.toArray() };
      });
      for (const { end, last, seen } of states) {
        expect(last).toEqual(xs[end - 1]!.toArray());
        expect(seen).toEqual([[end], [end]]);
      }
      expect(states.at(-1)!.end).toBe(5);
    }
  },
);

test("a whole number that no step changes outlives the window it came with", () => {
  const cell = defineCell({
    params: () => ({ table: init.normal(1, 3) }),
    state: () => ({ row: init.zeros({ dtype: "int32" }) }),
    step: ({ table }, x: Tensor, { row }) => [table.gather(row).mul(x), { row }],
  })({ input: 1, hidden: 1 });
  const params = initialParams(cell, rng(1));
  const steps = [1, 2, 3, 4, 5, 6].map((x) => ({ input: tensor([x, x]), target: null }));
  for (const stale of modes) {
    const options = { k1: 1, k2: 2, stale, loss: (y: Tensor) => y };
    const given = { row: tensor([1, 2], { dtype: "int32" }) };
    const rows = Array.from(truncated(cell, params, steps, { ...options, state: given }), (w) =>
      w.state.row.toArray(),
    );
    expect(rows.at(-1)).toEqual([1, 2]);
    const own = Array.from(truncated(cell, params, steps, options), (w) => w.state.row.toArray());
    expect(own.at(-1)).toEqual([0, 0]);
  }
});

test("testCell holds such a cell to everything", () => {
  const report = testCell(bigram, { input: symbols(4), runs: 3 });
  expect(String(report)).toMatch(/^cell/);
  report.assert();
});

test("checkTruncated takes such a cell", () => {
  const steps = xs.map((input) => ({ input, target: null }));
  const loss = (y: Tensor) => y.square();
  checkTruncated(bigram, steps, { k1: 1, k2: 2, loss }).assert();
});

test("tuples as states are inferred", () => {
  const pair = defineCell({
    params: ({ input, hidden }) => ({ W: init.glorot(input, hidden) }),
    state: ({ hidden }) => [init.zeros(hidden), init.zeros(hidden)],
    step: ({ W }, x, [fast, slow]) => {
      expectTypeOf(fast).toEqualTypeOf<Tensor>();
      expectTypeOf(slow).toEqualTypeOf<Tensor>();
      const next = x.matmul(W).add(fast.mul(0.5)).tanh();
      return [next, [next, slow.add(next)]];
    },
  })({ input: 2, hidden: 3 });
  const constant = defineCell({
    params: ({ input, hidden }) => ({ W: init.glorot(input, hidden) }),
    state: ({ hidden }) => [init.zeros(hidden), { slow: init.zeros(hidden) }] as const,
    step: ({ W }, x, [fast, { slow }]) => {
      expectTypeOf(fast).toEqualTypeOf<Tensor>();
      expectTypeOf(slow).toEqualTypeOf<Tensor>();
      const next = x.matmul(W).add(fast).tanh();
      return [next, [next, { slow: slow.add(next) }]];
    },
  })({ input: 2, hidden: 3 });
  expectTypeOf(initialState(pair, 1)).toEqualTypeOf<[Tensor, Tensor]>();
  expectTypeOf(initialState(constant, 1)).toEqualTypeOf<[Tensor, { slow: Tensor }]>();
  const nested = defineCell({
    params: () => ({ w: init.zeros(1) }),
    state: () => ({ pair: [init.zeros(1), init.zeros(1)] }),
    step: ({ w }, x, { pair: [a, b] }) => {
      expectTypeOf(b).toEqualTypeOf<Tensor>();
      return [x.mul(w), { pair: [b, a] }];
    },
  })({ input: 1, hidden: 1 });
  const { state } = unroll(nested, initialParams(nested, rng(1)), [tensor([[1]])]);
  expectTypeOf(state.pair).toEqualTypeOf<[Tensor, Tensor]>();
  for (const cell of [pair, constant] as const) {
    testCell(cell as typeof pair, { runs: 1 }).assert();
  }
  const params = initialParams(pair, rng(1));
  const steps = [tensor([[1, 2]])].map((input) => ({ input, target: tensor([[0, 0, 0]]) }));
  const windows = truncated(pair, params, steps, {
    k1: 1,
    k2: 1,
    loss: (y, z) => y.sub(z).square(),
  });
  expect(Array.from(windows, (w) => w.state[1].shape)).toEqual([[1, 3]]);
});
