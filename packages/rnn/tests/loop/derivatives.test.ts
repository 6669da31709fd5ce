import {
  compile,
  grad,
  hvp,
  jvp,
  scope,
  Tape,
  type Tensor,
  tree,
  valueAndGrad,
} from "@chronograd/autodiff";
import { embedding, init, linear, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import {
  defineCell,
  elman,
  gru,
  initialParams,
  lstm,
  unroll,
  variationalDropout,
  zoneout,
} from "../../src/index.ts";
import { bits, normal } from "../models/setup.ts";
import { distance, numbers } from "../truncated/setup.ts";
import { whole } from "./models.ts";
import type { How } from "./setup.ts";

const hows: readonly How[] = [
  { memory: "all" },
  { memory: { steps: 2 } },
  { memory: { bytes: 2 ** 22 } },
  { compile: true },
  { compile: true, memory: { steps: 1 } },
];
const float64 = { dtype: "float64" } as const;
const sizes = { input: 2, hidden: 3 };
const cell = gru(sizes);
const params = initialParams(cell, rng(1), float64);
const xs = normal([21, 2, 2], 1);
type Params = typeof params;

const squares = (values: unknown): Tensor =>
  tree
    .leaves(values)
    .filter(({ dtype }) => dtype !== "int32")
    .map((x) => x.square().sum())
    .reduce((a, b) => a.add(b));
const off = (a: unknown, b: unknown): number => distance(numbers(a), numbers(b));

describe.each(hows.map((how) => [JSON.stringify(how), how] as const))("%s", (_name, how) => {
  const isBounded = typeof how.memory === "object";

  test.each([0, 5])("derivatives of any order, with noise and burnIn %i", (burnIn) => {
    for (const model of [
      cell,
      variationalDropout(cell, { rate: 0.5 }),
      zoneout(cell, { rate: 0.25 }),
    ]) {
      const loss = (own: How) => (x: { params: Params; xs: Tensor }) =>
        squares(unroll(model, x.params, x.xs, { ...own, burnIn, rng: rng(7) }));
      const at = { params, xs };
      const v = tree.map(at, ({ shape }: Tensor) => normal(shape, 3)) as typeof at;
      expect(off(grad(loss(how))(at), grad(loss({}))(at))).toBeLessThan(1e-12);
      const second = (own: How) => grad((x: typeof at) => squares(grad(loss(own))(x)))(at);
      expect(off(second(how), second({}))).toBeLessThan(1e-12);
      expect(off(hvp(loss(how), at, v), hvp(loss({}), at, v))).toBeLessThan(1e-12);
      const forward = (own: How) => jvp(loss(own), at, v);
      expect(off(forward(how), forward({}))).toBeLessThan(1e-12);
    }
  });

  test("third derivatives, and derivatives of the state alone", () => {
    const short = xs.slice([[0, 4]]);
    const loss = (own: How) => (p: Params) => unroll(cell, p, short, own).state.h.sin().sum();
    const third = (own: How) =>
      grad((p: Params) => squares(grad((q: Params) => squares(grad(loss(own))(q)))(p)))(params);
    expect(off(third(how), third({}))).toBeLessThan(1e-12);
  });

  test("nested tapes, each of which may ask", () => {
    const run = (own: How) => {
      const outer = new Tape();
      const inner = new Tape();
      const p = outer.watch(params) as Params;
      const x = inner.watch(xs);
      const y = squares(unroll(cell, p, x, own));
      const byInner = inner.gradient(y, x);
      const mixed = outer.gradient(squares(byInner), p);
      const byOuter = outer.gradient(y, p);
      return numbers({ byInner, mixed, byOuter });
    };
    expect(distance(run(how), run({}))).toBeLessThan(1e-12);
  });

  test("several sweeps over one tape, in any order, the same again", () => {
    const rows = (own: How) =>
      scope(() => {
        const tape = new Tape();
        const p = tape.watch(params) as Params;
        const { outputs, state } = unroll(cell, p, xs, own);
        const ask = (t: number) => numbers(tape.gradient(outputs.slice([t]).sum(), p));
        const found = [3, 20, 0, 3].map(ask);
        const last = numbers(tape.gradient(state.h.sum(), p));
        return { found, last };
      });
    const [mine, plain] = [rows(how), rows({})];
    expect(mine.found[3]).toEqual(mine.found[0]);
    for (const [i, row] of mine.found.entries()) {
      expect(distance(row, plain.found[i]!)).toBeLessThan(1e-12);
    }
    expect(distance(mine.last, plain.last)).toBeLessThan(1e-12);
  });

  test("one cotangent in two sweeps gives two gradients", () => {
    scope(() => {
      const tape = new Tape();
      const p = tape.watch(params) as Params;
      const y = unroll(cell, p, xs, how).outputs;
      const cotangent = normal(y.shape, 4);
      const first = tape.gradient(y, p, { cotangent });
      const before = numbers(first);
      const second = tape.gradient(y, p, { cotangent });
      expect(numbers(second)).toEqual(before);
      tape.gradient(y, p, { cotangent: normal(y.shape, 5) });
      expect(numbers(first)).toEqual(before);
    });
  });

  test("a cotangent that a step passes on as it is stays what it is", () => {
    const passing = defineCell({
      params: ({ hidden }) => ({ W: init.glorot(hidden, hidden), b: init.zeros(1, hidden) }),
      state: ({ hidden }) => ({ h: init.zeros(hidden) }),
      step: ({ W, b }, x: Tensor, { h }) => [x.add(b), { h: h.matmul(W).add(b) }],
    })({ input: 3, hidden: 3 });
    const p = initialParams(passing, rng(1), float64);
    scope(() => {
      const tape = new Tape();
      const watched = tape.watch(p) as typeof p;
      const { outputs, state } = unroll(passing, watched, normal([9, 1, 3], 2), how);
      const cotangent = [normal([9, 1, 3], 3), normal([1, 3], 4)];
      const before = bits(cotangent);
      const first = numbers(tape.gradient([outputs, state.h], watched, { cotangent }));
      expect(bits(cotangent)).toEqual(before);
      expect(numbers(tape.gradient([outputs, state.h], watched, { cotangent }))).toEqual(first);
    });
  });

  test("layers before and after: an embedding, attention on the outputs, a tied head", () => {
    const table = embedding({ input: 5, output: 2 });
    const head = linear({ input: 3, output: 4 });
    const all = {
      table: initialParams({ params: table.params }, rng(2), float64),
      cell: params,
      head: initialParams({ params: head.params }, rng(3), float64),
    };
    const symbols = whole(rng(1), 5, 21, 2);
    const loss = (own: How) => (p: typeof all) => {
      const { outputs, state } = unroll(cell, p.cell, table.apply(p.table, symbols), own);
      const scores = outputs.mul(state.h).sum(-1).transpose().softmax().transpose();
      const read = outputs.mul(scores.expandDims(2)).sum(0);
      return squares(head.apply(p.head, read)).add(squares(p.table));
    };
    const plain = valueAndGrad(loss({}))(all);
    const found = valueAndGrad(loss(how))(all);
    expect(off(found, plain)).toBeLessThan(1e-12);
  });

  test("two loops share parameters, and the second goes on from the state of the first", () => {
    const lower = elman(sizes);
    const both = { gru: params, elman: initialParams(lower, rng(4), float64) };
    const loss = (own: How) => (p: typeof both) => {
      const first = unroll(cell, p.gru, xs, own);
      const second = unroll(cell, p.gru, xs, { ...own, state: first.state, reverse: true });
      const third = unroll(lower, p.elman, second.outputs.slice([null, null, [0, 2]]), own);
      return squares([first.outputs, second, third]);
    };
    expect(off(grad(loss(how))(both), grad(loss({}))(both))).toBeLessThan(1e-12);
  });

  test("a compiled training step: one plan, or uncompiled within a memory, and explain says why", () => {
    const loss = (own: How) => (p: Params, x: Tensor) => squares(unroll(cell, p, x, own));
    const plain = valueAndGrad(loss({}));
    const step = compile(valueAndGrad(loss(how)));
    for (let n = 0; n < 4; n++) {
      const x = normal([5, 2, 2], n);
      expect(off(step(params, x), plain(params, x))).toBeLessThan(1e-12);
    }
    if (isBounded) {
      expect(step.explain()).toMatch(
        /: not compiled, because unroll runs steps again to keep within its memory, which no plan does$/,
      );
    } else expect(step.explain()).toMatch(/: \d+ kernel calls/);
  });

  test("a loop inside the step of another", () => {
    const small = elman(sizes);
    const family = (own: How) =>
      defineCell({
        params: () => ({ inner: small.params, w: init.constant(0.5, 3) }),
        state: () => ({ h: init.zeros(3) }),
        step: ({ inner, w }, x: Tensor, { h }) => {
          const three = x.expandDims(0).broadcastTo([3, ...x.shape]);
          const { outputs } = unroll(small, inner, three, { state: { h }, ...own });
          const next = outputs.sum(0).mul(w).tanh();
          return [next, { h: next }];
        },
      })(sizes);
    const plain = family({});
    const p = initialParams(plain, rng(1), float64);
    const loss = (model: typeof plain, outer: How) => (q: typeof p) =>
      squares(unroll(model, q, xs.slice([[0, 6]]), outer));
    const expected = grad(loss(plain, {}))(p);
    for (const outer of hows) {
      const nested = grad(loss(family(how), outer));
      if (isBounded && outer.compile) {
        expect(() => nested(p)).toThrow(
          /unroll: compile takes steps that can be planned, and this model's cannot, because unroll runs steps again to keep within its memory, which no plan does/,
        );
      } else expect(off(nested(p), expected)).toBeLessThan(1e-12);
    }
  });

  test("one step, and far more steps than a chunk has", () => {
    const model = lstm({ input: 1, hidden: 2 });
    const p = initialParams(model, rng(1), float64);
    for (const T of [1, 2, 15, 16, 17, 33, 1000]) {
      const x = normal([T, 1, 1], T);
      const loss = (own: How) => (q: typeof p) => squares(unroll(model, q, x, own));
      expect(off(grad(loss(how))(p), grad(loss({}))(p))).toBeLessThan(1e-12);
      const values = (own: How) => bits(unroll(model, p, x, own));
      expect(values(how)).toEqual(values({}));
    }
  });
});
