import { concat, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { embedding, init, linear, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Cell,
  defineCell,
  elman,
  gru,
  gruResetBefore,
  initialParams,
  initialState,
  lstm,
  sequential,
  truncated,
  unroll,
} from "../src/index.ts";
import { testCell } from "../src/testing.ts";

const own = defineCell({
  params: ({ input, hidden }) => ({
    W: init.glorot(input, hidden),
    U: init.orthogonal(hidden),
    b: init.zeros(hidden),
  }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W, U, b }, x, { h }) => {
    const next = x.matmul(W).add(h.matmul(U)).add(b).tanh();
    return [next, { h: next }];
  },
});
type AnyCell = Cell<Record<string, never>, Record<string, never>>;
const sizes = { input: 3, hidden: 5 };
const bare = own(sizes);
const cells = {
  lstm: lstm(sizes),
  gru: gru(sizes),
  gruResetBefore: gruResetBefore(sizes),
  elman: elman(sizes),
  own: bare,
  /** Not made by defineCell. */
  plain: {
    params: bare.params,
    state: bare.state,
    step: ({ W, U, b }: Record<"W" | "U" | "b", Tensor>, x: Tensor, { h }: { h: Tensor }) => {
      const next = x.matmul(W).add(h.matmul(U)).add(b).tanh();
      return [next, { h: next }];
    },
  },
  sequential: sequential({ lower: own(sizes), upper: gru({ input: 5, hidden: 5 }) }),
} as unknown as Record<string, AnyCell>;

const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();
const stales = ["carry", "recompute", "defer"] as const;

describe.each(Object.entries(cells))("%s", (name, cell) => {
  const params = initialParams(cell, rng(1));

  test("input and state of unlike rows are refused in every loop, whichever has more", () => {
    const rows = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(rows, rows, fc.integer({ min: 1, max: 3 }), (B, other, at) => {
        fc.pre(B !== other);
        const inputs = [B, B, B].map((b, t) => zeros([t + 1 === at ? other : b, 3]));
        const state = initialState(cell, B);
        const words = new RegExp(`${at}: .*\\[${other},3\\] has ${other} rows?, and .* has ${B}`);
        if (name !== "plain") {
          expect(() => cell.step(params, zeros([other, 3]), state)).toThrow(/has . rows?/);
        }
        expect(() => unroll(cell, params, inputs, { state })).toThrow(words);
        for (const stale of stales) {
          const steps = inputs.map((input) => ({ input, target: zeros([B, 5]) }));
          const run = () =>
            Array.from(truncated(cell, params, steps, { k1: 1, k2: 2, stale, state, loss }));
          expect(run).toThrow(words);
        }
      }),
      { numRuns: 10 },
    );
  });

  test("a target of other rows is refused; a number is one for all", () => {
    const run = (target: Tensor, stale: (typeof stales)[number]) => {
      const steps = [zeros([3, 5]), target].map((each) => ({ input: zeros([3, 3]), target: each }));
      return Array.from(
        truncated(cell, params, steps, { k1: 1, k2: 2, stale, loss }),
        (w) => w.count,
      );
    };
    for (const stale of stales) {
      expect(() => run(zeros([1, 5]), stale)).toThrow(
        /^truncated: step 2: the target \[1,5\] has 1 row, and the input \[3,3\] has 3; .*broadcastTo\(\[3,5\]\)$/,
      );
      expect(() => run(zeros([2, 5]), stale)).toThrow(/the target \[2,5\] has 2 rows/);
      expect(run(tensor(0), stale).reduce((a, b) => a + b)).toBe(30);
    }
  });

  test("rows that all agree are taken, repeated ones too", () => {
    const x = zeros([1, 3]).broadcastTo([3, 3]);
    const { outputs } = unroll(cell, params, [x, x], { state: initialState(cell, 3) });
    expect(outputs.shape).toEqual([2, 3, 5]);
  });
});

test.each(["lstm", "gru", "gruResetBefore", "elman", "own", "sequential"])(
  "%s takes no row for a batch",
  (name) => {
    const cell = cells[name]!;
    const params = initialParams(cell, rng(1));
    const words =
      /the input \[3\] has no axis for rows, expected \[rows, 3\]; one row is x\.reshape\(\[1, 3\]\)/;
    expect(() => cell.step(params, zeros([3]), initialState(cell, 3))).toThrow(words);
    expect(() => unroll(cell, params, zeros([4, 3]))).toThrow(words);
    const steps = { inputs: zeros([4, 3]), targets: zeros([4, 5]) };
    expect(() => Array.from(truncated(cell, params, steps, { k1: 1, k2: 2, loss }))).toThrow(words);
  },
);

test("the sentences", () => {
  const cell = lstm(sizes);
  const params = initialParams(cell, rng(1));
  expect(() =>
    cell.step(params, zeros([1, 3]), initialState(cell, 3)),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: lstm: the input [1,3] has 1 row, and the state "h" [3,5] has 3; where all rows share it, say so with broadcastTo([3,3])]`,
  );
  expect(() =>
    cell.step(params, zeros([2, 3]), initialState(cell, 3)),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: lstm: the input [2,3] has 2 rows, and the state "h" [3,5] has 3; give both one row for each sequence of the batch]`,
  );
  const { h } = initialState(cell, 3);
  expect(() =>
    unroll(cell, params, zeros([2, 3, 3]), { state: { h, c: zeros([1, 5]) } }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: unroll: step 1: lstm: the state "c" [1,5] has 1 row, and the state "h" [3,5] has 3; where all rows share it, say so with broadcastTo([3,5])]`,
  );
  const symbols = sequential({
    embedding: embedding({ count: 4, size: 3 }),
    rnn: own(sizes),
    head: linear({ inputs: 5, outputs: 4 }),
  });
  const some = initialParams(symbols, rng(1));
  const text = tensor(
    [
      [1, 2],
      [3, 0],
    ],
    { dtype: "int32" },
  );
  expect(unroll(symbols, some, text).outputs.shape).toEqual([2, 2, 4]);
  expect(() => unroll(symbols, some, text.slice([0]))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: unroll: cannot tell the batch size from an input without tensors or axes; pass { state: initialState(cell, batch) }]`,
  );
});

describe("the state after a step", () => {
  const family = (step: (x: Tensor, h: Tensor) => Tensor) =>
    defineCell({
      params: () => ({ w: init.zeros(1) }),
      state: () => ({ h: init.zeros(2) }),
      step: ({ w }, x: Tensor, { h }) => [h.mul(w).sum().reshape([1]), { h: step(x, h) }],
    })({ input: 2, hidden: 2 });

  test("keeps its rows and its axes", () => {
    const x = zeros([3, 2]);
    const run = (step: (x: Tensor, h: Tensor) => Tensor) => {
      const cell = family(step);
      return () => unroll(cell, initialParams(cell, rng(1)), [x, x]);
    };
    expect(run((_, h) => h.sum(0, { keepDims: true }))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unroll: step 1: cell: the next state "h" [1,2] has 1 row, and the state "h" [3,2] has 3; where all rows share it, say so with broadcastTo([3,2])]`,
    );
    expect(run((_, h) => h.sum(1))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unroll: step 1: cell: the next state "h" [3] has 1 axes, and the state "h" [3,2] before the step has 2; return a state with the same axes (a step may change the length of all but the first)]`,
    );
    expect(run((_, h) => h.sum(0))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unroll: step 1: cell: the next state "h" [2] has 1 axes, and the state "h" [3,2] before the step has 2; return a state with the same axes (a step may change the length of all but the first)]`,
    );
    expect(run((a, h) => a.reshape([3, 1, 2]).add(h))).toThrow(/has 3 axes/);
  });

  test("may grow by design, in every loop", () => {
    const memory = family((x, h) => concat([h, x], 1));
    const params = initialParams(memory, rng(1));
    const xs = [1, 2, 3].map((b) =>
      tensor([
        [b, b],
        [0, b],
      ]),
    );
    expect(unroll(memory, params, xs).state.h.toArray()).toEqual([
      [0, 0, 1, 1, 2, 2, 3, 3],
      [0, 0, 0, 1, 0, 2, 0, 3],
    ]);
    for (const stale of stales) {
      const steps = xs.map((input) => ({ input, target: null }));
      const windows = truncated(memory, params, steps, { k1: 1, k2: 2, stale, loss: (y) => y });
      const shapes = Array.from(windows, ({ state }) => state.h.shape);
      expect(shapes.at(-1)).toEqual([2, 8]);
    }
  });
});

test("testCell holds rows to each other", () => {
  const input = (random: { normal(): number }) => tensor([[random.normal(), 1, 2]]);
  expect(() => testCell(own(sizes), { input, runs: 1 }).assert()).toThrow(
    /the input \[1,3\] has 1 row, and the state "h" \[3,5\] has 3/,
  );
});
