import { describe, expect, test } from "vitest";
import { whyDependent } from "../../src/compile/independence.ts";
import { partsOf } from "../../src/compile/shards.ts";
import {
  arange,
  type Backend,
  createBackend,
  defaultBackend,
  type FloatDType,
  oneHot,
  ones,
  softmax,
  type Tensor,
  tensor,
  valueAndGrad,
  where,
  zeros,
} from "../../src/index.ts";
import { crossEntropy, lookUp } from "../../src/internal.ts";

/**
 * What is shared by all rows, what has rows, what a model makes of both: for a dtype and a backend.
 */
interface Model {
  readonly shared?: unknown;
  readonly x: unknown;
  readonly f: (given: never) => { readonly rows?: unknown; readonly sums?: unknown };
}

const rows = 8;

function found({ shared = {}, x, f }: Model, shards: number): string | undefined {
  type Given = { readonly shared: unknown; readonly x: unknown };
  const run = (given: Given) => {
    const own = f({ ...(given.shared as object), ...(given.x as object) } as never);
    return { rows: own.rows ?? [], sums: own.sums ?? [] };
  };
  return whyDependent<Given>({
    inputs: { shared, x },
    rows,
    shards,
    axis: 0,
    parts: (given) =>
      partsOf(given.x, rows, shards).map((part) => ({ shared: given.shared, x: part })),
    run,
    forward: (given) => run(given).rows,
  });
}

type In = Record<"x" | "w" | "g" | "t" | "m" | "c" | "b" | "e", Tensor>;

function setting(dtype: FloatDType, backend: Backend) {
  const options = { dtype, backend } as const;
  const values = (shape: number[], seed: number, scale = 1) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const of = (i: number) => scale * Math.sin(12.9898 * (i + 1) * (i + seed) + 78.233 * seed);
    return tensor(
      Float64Array.from({ length: size }, (_, i) => of(i)),
      { shape, ...options },
    );
  };
  const classes = (...given: number[]) => tensor(Int32Array.from(given), { backend });
  return {
    dtype,
    options,
    values,
    classes,
    x: values([rows, 4], 1),
    w: values([4, 4], 2),
    t: classes(0, 2, 1, 1, 0, 2, 2, 1),
    alike: classes(...new Array<number>(rows).fill(0)),
    none: zeros([], options),
    one: ones([rows], options),
  };
}

type Setting = ReturnType<typeof setting>;

const mean = (x: Tensor) => x.mean(0, { keepDims: true });

/** Models whose rows depend on each other. */
const dependent: Record<string, (s: Setting) => Model> = {
  "a mean over the batch": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ rows: x.sub(mean(x)) }) }),
  "that of equal rows": ({ options }) => ({
    x: { x: zeros([rows, 4], options) },
    f: ({ x }: In) => ({ rows: x.sub(mean(x)) }),
  }),
  "that of NaN": ({ x }) => ({
    x: { x: x.mul(Number.NaN) },
    f: ({ x }: In) => ({ rows: x.sub(mean(x)) }),
  }),
  "a norm over the batch": ({ x }) => ({
    x: { x },
    f: ({ x }: In) => {
      const centred = x.sub(mean(x));
      return { rows: centred.div(mean(centred.square()).add(1e-5).sqrt()) };
    },
  }),
  "counts of classes": ({ t, x, dtype }) => ({
    x: { x, t },
    f: ({ x, t }: In) => ({ rows: x.mul(oneHot(t, 3).cast(dtype).sum(0).max()) }),
  }),
  "counts of classes, of integers alone": ({ t }) => ({
    x: { t },
    f: ({ t }: In) => ({ rows: oneHot(t, 3).mul(oneHot(t, 3).sum(0)) }),
  }),
  "counts of the only class": ({ alike, x, dtype }) => ({
    x: { x, t: alike },
    f: ({ x, t }: In) => ({ rows: x.mul(t.equal(0).cast(dtype).mean()) }),
  }),
  "counts of a class that is not there": ({ alike, x, dtype }) => ({
    x: { x, t: alike },
    f: ({ x, t }: In) => ({ rows: x.add(t.equal(2).cast(dtype).sum()) }),
  }),
  "the positions of rows, in integers": ({ alike }) => ({
    x: { t: alike },
    f: ({ t }: In) => ({
      rows: t.add(tensor(arange(0, t.shape[0]!), { dtype: "int32", backend: t.backend })),
    }),
  }),
  "a mean through weights of 0": ({ x, options }) => ({
    shared: { w: zeros([4, 4], options) },
    x: { x },
    f: ({ x, w }: In) => ({ rows: x.add(mean(x).matmul(w)) }),
  }),
  "a mean in a loss, of weight 0": ({ x, none }) => ({
    shared: { g: none },
    x: { x },
    f: ({ x, g }: In) => ({ sums: x.square().sum().add(mean(x).square().sum().mul(g)) }),
  }),
  "a largest row": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ rows: x.sub(x.max(0)) }) }),
  "a largest row in a loss": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ sums: x.max() }) }),
  "rows above the mean": ({ x }) => ({
    x: { x },
    f: ({ x }: In) => ({ rows: where(x.greater(mean(x)), x, 0) }),
  }),
  "rows above the mean, in a loss": ({ x }) => ({
    x: { x },
    f: ({ x }: In) => ({ sums: where(x.greater(x.mean()), x, 0).sum() }),
  }),
  "a mean above a number that it never reaches": ({ x }) => ({
    x: { x },
    f: ({ x }: In) => ({ rows: where(mean(x).greater(100).broadcastTo(x.shape), x, 0) }),
  }),
  "a mean below a number that it never reaches": ({ x }) => ({
    x: { x },
    f: ({ x }: In) => ({ rows: where(mean(x).less(-100).broadcastTo(x.shape), x, 0) }),
  }),
  "a mean above a number, in a loss": ({ x }) => ({
    x: { x },
    f: ({ x }: In) => ({ sums: [x.sum(), where(x.mean().greater(100), 5, 0)] }),
  }),
  "a mean below a number, in a loss": ({ x }) => ({
    x: { x },
    f: ({ x }: In) => ({ sums: x.sum().add(where(x.mean().less(-100), x.mean(), 0)) }),
  }),
  "running sums": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ rows: x.cumsum(0) }) }),
  "sorted rows": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ rows: x.sort(0) }) }),
  "ranks of rows": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ rows: x.argsort(0) }) }),
  "shifted rows": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ rows: x.roll(1, 0) }) }),
  "turned rows": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ rows: x.flip(0) }) }),
  "attention over rows": ({ x }) => ({
    x: { x },
    f: ({ x }: In) => ({ rows: softmax(x.matmul(x.transpose())).matmul(x) }),
  }),
  "a loss that is a mean": ({ x, w }) => ({
    shared: { w },
    x: { x },
    f: ({ x, w }: In) => ({ sums: x.matmul(w).square().mean() }),
  }),
  "a count that is a number": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ sums: [x.sum(), 3] }) }),
  "a small penalty of the mean": ({ x, w }) => ({
    shared: { w },
    x: { x },
    f: ({ x, w }: In) => {
      const y = x.matmul(w);
      return { sums: [y.square().sum().add(mean(y).square().sum().mul(1e-4))] };
    },
  }),
  "weight decay in a sum": ({ x, w }) => ({
    shared: { w },
    x: { x },
    f: ({ x, w }: In) => ({ sums: x.matmul(w).square().sum().add(w.square().sum().mul(1e-6)) }),
  }),
  "a gradient of a squared sum": ({ x, w }) => ({
    shared: { w },
    x: { x },
    f: ({ x, w }: In) => ({ sums: valueAndGrad((v) => x.matmul(v).sum(0).square().sum())(w) }),
  }),
  "a state without rows": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ rows: [x, x.mean(0)] }) }),
  "a mean over a mask of ones": ({ x, one }) => ({
    x: { x, m: one },
    f: ({ x, m }: In) => ({ sums: x.square().sum(-1).mul(m).sum().div(m.mean()) }),
  }),
  "a mean over rows that are not empty": ({ x, dtype }) => ({
    x: { x },
    f: ({ x }: In) => {
      const counted = x.abs().sum(-1).greater(0).cast(dtype).mean();
      return { sums: x.square().sum().div(counted.add(1e-3)) };
    },
  }),
  "weights of classes, as many as rows": ({ x, one }) => ({
    x: { x, c: one },
    f: ({ x, c }: In) => ({ rows: x.mul(c.mean()) }),
  }),
  "the number of rows": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ rows: x.div(x.shape[0]!) }) }),
};

/** Models whose rows do not. */
const independent: Record<string, (s: Setting) => Model> = {
  "a norm of each row": ({ x }) => ({
    x: { x },
    f: ({ x }: In) => {
      const centred = x.sub(x.mean(-1, { keepDims: true }));
      return { rows: centred.div(centred.square().mean(-1, { keepDims: true }).add(1e-5).sqrt()) };
    },
  }),
  "products and gradients": ({ x, w }) => ({
    shared: { w },
    x: { x },
    f: ({ x, w }: In) => ({
      rows: x.matmul(w).tanh(),
      sums: valueAndGrad((v) => x.matmul(v).tanh().square().sum())(w),
    }),
  }),
  "masks, resets": ({ x, classes }) => ({
    x: { x, m: classes(1, 0, 1, 1, 0, 0, 1, 1) },
    f: ({ x, m }: In) => ({ rows: where(m.expandDims(-1), x, 0), sums: m.sum() }),
  }),
  "a table": ({ t, values }) => ({
    shared: { e: values([3, 4], 3) },
    x: { t },
    f: ({ t, e }: In) => ({
      rows: lookUp(e, t),
      sums: valueAndGrad((v) => lookUp(v, t).square().sum())(e),
    }),
  }),
  "attention over a context of each row": ({ x, values }) => ({
    x: { x, c: values([rows, 5, 4], 3) },
    f: ({ x, c }: In) => {
      const weights = softmax(c.mul(x.expandDims(1)).sum(-1));
      return { rows: weights.expandDims(-1).mul(c).sum(1) };
    },
  }),
  "losses of targets that may be ignored": ({ x, values, classes }) => ({
    shared: { w: values([4, 3], 3) },
    x: { x, t: classes(0, -100, 1, 2, -100, -100, 0, 1) },
    f: ({ x, w, t }: In) => ({ sums: valueAndGrad((v) => crossEntropy(x.matmul(v), t).sum())(w) }),
  }),
  "a gradient that is 0 but for rounding": ({ x, values }) => ({
    shared: { b: values([1], 3).reshape([]) },
    x: { x },
    f: ({ x, b }: In) => ({ sums: valueAndGrad((v) => softmax(x.add(v)).square().sum())(b) }),
  }),
  "sums that cancel": ({ x }) => ({
    x: { x },
    f: ({ x }: In) => ({ sums: [x.mul(1e6).sum(), x.mul(1e6).add(x).sub(x.mul(1e6)).sum()] }),
  }),
  "NaN among the rows": ({ x, options }) => ({
    x: { x: x.mul(tensor([[Number.NaN], ...new Array<number[]>(rows - 1).fill([1])], options)) },
    f: ({ x }: In) => ({ rows: x.mul(2), sums: x.sum() }),
  }),
  "large numbers": ({ x }) => ({
    x: { x: x.mul(1e30) },
    f: ({ x }: In) => ({ rows: x.mul(2), sums: x.sum() }),
  }),
  "subnormal numbers": ({ x, dtype }) => ({
    x: { x: x.mul(dtype === "float32" ? 1e-40 : 1e-310) },
    f: ({ x }: In) => ({ rows: x.mul(2), sums: x.sum() }),
  }),
  "weights of as many rows": ({ x, values }) => ({
    shared: { w: values([4, rows], 3), b: values([rows], 4), v: values([rows, rows], 5) },
    x: { x },
    f: ({ x, w, b, v }: In & { v: Tensor }) => ({ rows: x.matmul(w).add(b).matmul(v) }),
  }),
  "a state that counts steps": ({ x, none }) => ({
    shared: { g: none },
    x: { x },
    f: ({ x, g }: In) => ({ rows: [x, g.add(1)] }),
  }),
  "float32 whatever is given": ({ x, w, dtype }) => ({
    shared: { w },
    x: { x },
    f: ({ x, w }: In) => {
      const single = (v: Tensor) => x.cast("float32").matmul(v.cast("float32")).tanh();
      return { sums: valueAndGrad((v) => single(v).square().sum().cast(dtype))(w) };
    },
  }),
  "weights from outside": ({ x, w }) => ({
    x: { x },
    f: ({ x }: In) => ({ rows: x.matmul(w), sums: x.matmul(w).sum() }),
  }),
  "logarithms of what is positive": ({ x }) => ({
    x: { x: x.abs().add(0.1) },
    f: ({ x }: In) => ({ rows: x.log(), sums: x.log().sum() }),
  }),
  "many steps that enlarge rounding": ({ x, w }) => ({
    shared: { w },
    x: { x },
    f: ({ x, w }: In) => {
      let h = x;
      for (let i = 0; i < 40; i++) h = h.matmul(w).mul(2).tanh();
      return { rows: h, sums: h.sum() };
    },
  }),
  "a count of rows": ({ x }) => ({ x: { x }, f: ({ x }: In) => ({ sums: [x.shape[0], x.sum()] }) }),
};

const backends: [string, () => Backend][] = [
  ["the usual kernels", defaultBackend],
  ["WebAssembly alone", () => createBackend({ kernels: "simd" })],
];

describe.each(backends)("on %s", (_, make) => {
  const settings = (["float32", "float64"] as const).map((dtype) => setting(dtype, make()));

  test.each(Object.keys(dependent))("rows depend on each other by %s", (name) => {
    for (const own of settings) {
      for (const shards of [2, 4, 8]) {
        expect(found(dependent[name]!(own), shards), `${own.dtype}, ${shards} shards`).toMatch(
          /depend on each other/,
        );
      }
    }
  });

  test.each(Object.keys(independent))("rows do not depend on each other by %s", (name) => {
    for (const own of settings) {
      for (const shards of [2, 4, 8]) {
        const why = found(independent[name]!(own), shards);
        expect(why, `${own.dtype}, ${shards} shards`).toBeUndefined();
      }
    }
  });
});

test("in float32 alone, a dependence of a sum is seen from 2e-5 of it", () => {
  const { x, w } = setting("float32", defaultBackend());
  const locked = ones([], { dtype: "float32" });
  const penalised = (size: number): Model => ({
    shared: { w },
    x: { x },
    f: ({ x, w }: In) => {
      const y = x.matmul(w).mul(locked);
      return { sums: y.square().sum().add(mean(y).abs().sum().mul(size)) };
    },
  });
  expect(found(penalised(1e-2), 2)).toMatch(/depend on each other/);
  expect(found(penalised(1e-7), 2)).toBeUndefined();
});
