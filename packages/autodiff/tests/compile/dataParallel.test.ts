import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  compile,
  createBackend,
  type DataParallelOptions,
  dataParallel,
  type FloatDType,
  grad,
  oneHot,
  type Tensor,
  tensor,
  tree,
  valueAndGrad,
} from "../../src/index.ts";
import { consume, crossEntropy } from "../../src/internal.ts";

/** Values without a pattern. */
function values(shape: number[], seed: number, dtype: FloatDType = "float64"): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const of = (i: number) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 1.5;
  return tensor(
    Float64Array.from({ length: size }, (_, i) => of(i)),
    { shape, dtype },
  );
}

const classes = (length: number, seed: number): Tensor =>
  tensor(Int32Array.from({ length }, (_, i) => (7 * i + 3 * seed + (i >> 2)) % 3));

interface Params {
  readonly w: Tensor;
  readonly v: Tensor;
}

const model = ({ w, v }: Params, x: Tensor) => x.matmul(w).tanh().matmul(v);
const summed = (p: Params, x: Tensor, t: Tensor) => crossEntropy(model(p, x), t).sum();
const params = (seed: number, dtype?: FloatDType): Params => ({
  w: values([4, 5], seed, dtype),
  v: values([5, 3], seed + 1, dtype),
});

const numbers = (result: unknown) => tree.leaves(result).map((x) => Array.from(x.toTypedArray()));

describe("gives what the function gives", () => {
  const gradient = valueAndGrad(summed);

  test("for sums, in float64 to 1e-13, for any rows and shards", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<1 | 2 | 4 | 8>(1, 2, 4, 8),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 1000 }),
        (shards, each, seed) => {
          const rows = shards * each;
          const [p, x, t] = [params(seed), values([rows, 4], seed), classes(rows, seed)];
          const parallel = dataParallel(gradient, { axis: [null, 0, 0], out: "sum", shards });
          const expected = numbers(gradient(p, x, t));
          for (const found of [parallel(p, x, t), parallel(p, x, t)]) {
            for (const [i, own] of numbers(found).entries()) {
              for (const [j, y] of own.entries()) expect(y).toBeCloseTo(expected[i]![j]!, 12);
            }
          }
          expect(parallel.explain()).toContain("kernel calls");
        },
      ),
      { seed: 15, numRuns: 8 },
    );
  });

  test("with the same bits on 1, 2, 3 and 4 threads", () => {
    const [p, x, t] = [params(1, "float32"), values([24, 4], 2, "float32"), classes(24, 3)];
    const bits = [1, 2, 3, 4].map((threads) => {
      const options = { axis: [null, 0, 0], out: "sum", shards: 4, threads } as const;
      const parallel = dataParallel(gradient, options);
      parallel(p, x, t);
      return numbers(parallel(p, x, t));
    });
    for (const own of bits) expect(own).toStrictEqual(bits[0]);
    const [first] = bits;
    const parts = [0, 1, 2, 3].map((k) =>
      numbers(gradient(p, x.slice([[6 * k, 6 * k + 6]]), t.slice([[6 * k, 6 * k + 6]]))),
    );
    const single = (a: number, b: number) => Math.fround(a + b);
    const pairs = parts[0]!.map((leaf, i) =>
      leaf.map((_, j) => {
        const [a, b, c, d] = parts.map((part) => part[i]![j]!) as [number, number, number, number];
        return single(single(a, b), single(c, d));
      }),
    );
    expect(first).toStrictEqual(pairs);
  });

  test("for results side by side, along any axis, and for what all have in common", () => {
    const f = (x: Tensor, w: Tensor) => ({
      rows: x.matmul(w),
      turned: x.mul(2).transpose(),
      w,
      mean: x.mean(),
      count: x.shape[0]!,
      name: "rows",
    });
    const out = { rows: 0, turned: -1, w: null, mean: "mean", count: "sum", name: null } as const;
    const parallel = dataParallel(f, { axis: [0, null], out, shards: 2 });
    const [x, w] = [values([6, 3], 1), values([3, 2], 2)];
    const [found, expected] = [parallel(x, w), f(x, w)];
    expect(found.rows.toArray()).toEqual(expected.rows.toArray());
    expect(found.turned.toArray()).toEqual(expected.turned.toArray());
    expect(found.w.toArray()).toEqual(w.toArray());
    expect(found.mean.item()).toBeCloseTo(expected.mean.item(), 14);
    expect([found.count, found.name]).toEqual([6, "rows"]);
    expect(parallel.explain()).toContain("for each of 2 shards");
  });

  test("with rows along different axes of one tree", () => {
    const f = ({ x, m }: { x: Tensor; m: Tensor }) => x.mul(m.transpose()).sum(1);
    const given = { x: values([4, 2], 1), m: values([2, 4], 2) };
    const parallel = dataParallel(f, { axis: [{ x: 0, m: 1 }], out: 0, shards: 4 });
    expect(parallel(given).toArray()).toEqual(f(given).toArray());
  });

  test("where indices are ignored and a mean is over the others, for all rows at once", () => {
    const ofCounted = (p: Params, x: Tensor, t: Tensor) =>
      crossEntropy(model(p, x), t).sum().div(t.notEqual(-100).cast("float64").sum());
    const f = valueAndGrad(ofCounted);
    const parallel = dataParallel(f, { axis: [null, 0, 0], out: "mean", shards: 2 });
    const [p, x] = [params(1), values([4, 4], 2)];
    for (const t of [classes(4, 1), tensor([1, -100, 2, 0], { dtype: "int32" })]) {
      const [found, expected] = [numbers(parallel(p, x, t)), numbers(f(p, x, t))];
      for (const [i, own] of found.entries()) {
        for (const [j, y] of own.entries()) expect(y).toBeCloseTo(expected[i]![j]!, 12);
      }
    }
    expect(parallel.explain()).toMatch(/; 1 of 2 calls for all rows at once, because some of/);
  });
});

describe("runs the function for all rows", () => {
  const x = values([4, 2], 1);

  test.each<[string, (x: Tensor) => Tensor, RegExp]>([
    ["that reads values", (z) => z.mul(z.max().item()), /not compiled, because a value/],
    ["that draws random numbers", (z) => z.mul(Math.random()), /it does not do the same twice/],
  ])("%s", (_, f, reason) => {
    const parallel = dataParallel(f, { axis: 0, out: 0 });
    expect(parallel(x).shape).toEqual([4, 2]);
    expect(parallel.explain()).toMatch(reason);
  });

  test.each<[string, (x: Tensor) => Tensor, RegExp]>([
    [
      "that consumes an argument, once",
      (z) => {
        const next = z.add(1);
        consume(z, next, "f");
        return next;
      },
      /; all rows at once, because it consumes an argument/,
    ],
    [
      "that checks whether a value is finite",
      (z) => {
        if (!z.backend.isFinite(z.sum())) throw new RangeError("not finite");
        return z.add(1);
      },
      /; all rows at once, because it checks that a value is finite/,
    ],
  ])("%s, as a plan", (_, f, reason) => {
    const parallel = dataParallel(f, { axis: 0, out: 0, shards: 2 });
    const given = x.add(0);
    expect(parallel(parallel(given)).toArray()).toEqual(x.add(1).add(1).toArray());
    expect(parallel.explain()).toMatch(reason);
  });

  test("that are one, or not to be divided", () => {
    const parallel = dataParallel((z: Tensor) => z.mul(2), { axis: 0, out: 0, threads: 2 });
    expect(parallel(tensor([[1, 2]])).toArray()).toEqual([[2, 4]]);
    expect(parallel(tensor([1, 2, 3])).toArray()).toEqual([2, 4, 6]);
    expect(parallel(tensor([], { shape: [0, 3] })).shape).toEqual([0, 3]);
    expect(parallel.explain()).toContain("because there is only one row");
    expect(parallel.explain()).toContain("because 3 rows cannot be divided");
  });

  test("inside another function that is compiled, and where gradients flow", () => {
    const square = dataParallel((z: Tensor) => z.square(), { axis: 0, out: 0, shards: 2 });
    expect(grad((z: Tensor) => square(z).sum())(x).toArray()).toEqual(x.mul(2).toArray());
    const outer = compile((z: Tensor) => square(z).sum());
    expect(outer(x).item()).toBeCloseTo(x.square().sum().item(), 14);
    expect(square.explain()).toBe("");
  });
});

describe("throws a sentence", () => {
  const x = values([4, 2], 1);
  const said = (f: (...args: Tensor[]) => unknown, options: unknown, ...args: Tensor[]) => {
    try {
      dataParallel(f, options as DataParallelOptions<Tensor[]>)(...args);
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };
  const double = (z?: Tensor) => z!.mul(2);

  test("for options", () => {
    expect(said(double, undefined, x)).toMatchInlineSnapshot(
      `"dataParallel: options must be an object such as { axis: ... }, got null. It takes axis, out, threads, shards"`,
    );
    expect(said(double, { axs: 0, out: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: there is no option "axs", did you mean "axis"? It takes axis, out, threads, shards"`,
    );
    expect(said(double, { axis: 0.5, out: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: axis must be the axis of rows, or an array with an axis for each argument and null for what belongs to all rows, such as [null, 0], got 0.5"`,
    );
    expect(said(double, { axis: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: out must be the axis along which results of shards are put side by side, "sum" or "mean", null for what all shards have in common, or a tree of these, got undefined"`,
    );
    expect(said(double, { axis: 0, out: "avg" }, x)).toMatchInlineSnapshot(
      `"dataParallel: out must be the axis along which results of shards are put side by side, "sum" or "mean", null for what all shards have in common, or a tree of these, got "avg""`,
    );
    expect(said(double, { axis: [0, 0], out: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: axis has 2 elements, but the arguments have 1 element there; give one value for all of them, or one for each"`,
    );
    expect(said(double, { axis: [null], out: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: axis: no tensor among the arguments has rows; call the function itself"`,
    );
    expect(said(double, { axis: 2, out: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: axis of the argument at "0": axis 2 is out of range for rank 2; expected an integer from -2 to 1"`,
    );
    expect(said(double, { axis: 0, out: 0, threads: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: threads must be "auto" or a whole number from 1 to 64, got 0; 1 runs on the calling thread alone"`,
    );
    expect(said(double, { axis: 0, out: 0, shards: 3 }, x)).toMatchInlineSnapshot(
      `"dataParallel: shards must be 1, 2, 4 or 8, got 3; leave it out where bits may depend on the number of threads"`,
    );
    expect(said(double, { axis: 0, out: 0, shards: 8 }, x)).toMatchInlineSnapshot(
      `"dataParallel: shards must divide the rows of a batch, got 8 for 4 rows; choose another batch size, or a smaller number"`,
    );
    expect(said(double, { axis: 0, out: { y: 0 } }, x)).toMatchInlineSnapshot(
      `"dataParallel: out is an object, but the results have no more parts there; expected one value"`,
    );
    expect(said(undefined as never, { axis: 0, out: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: expected a function of tensors, got undefined"`,
    );
  });

  test("for arguments and results that do not fit", () => {
    const product = (a?: Tensor, b?: Tensor) => a!.mul(b!);
    const weights = tensor([1, 1, 1, 1], { dtype: "float64" });
    const square = values([4, 4], 2);
    expect(said(product, { axis: 0, out: 0 }, square, values([2, 4], 1))).toMatchInlineSnapshot(
      `"dataParallel: axis: the argument at "1" has 2 rows along axis 0, and that at "0" has 4; give null to what belongs to all rows"`,
    );
    expect(said(product, { axis: 0, out: 0 }, square, weights)).toMatchInlineSnapshot(
      `"dataParallel: the function does not take a shard of the rows alone (mul: shapes [2,4] and [2] do not broadcast: 4 and 2 meet on axis 1, and neither is 1); give null as the axis of what belongs to all rows"`,
    );
    expect(said(product, { axis: [0, null], out: 0 }, square, weights)).toBe("nothing");
    const kept = (z?: Tensor) => z!.mean(0, { keepDims: true });
    expect(said(kept, { axis: 0, out: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: the result has not as many elements for each row along the axis that out names, whether all rows are given or a shard of them; use "sum", "mean", or null for what belongs to all rows"`,
    );
    expect(said((z) => z!.sum(), { axis: 0, out: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: out: the result is a scalar, which has no axis 0; use "sum" or "mean""`,
    );
    expect(said((z) => z!.sum(), { axis: 0, out: "mean" }, x)).toMatchInlineSnapshot(
      `"dataParallel: the result for all rows is not the mean of what shards of them give, for these values or for others that were tried: out should be "sum", or rows depend on each other; where rows depend on each other, call the function itself, or compile it"`,
    );
    expect(said((z) => [z!.sub(z!.mean(0))], { axis: 0, out: 0 }, x)).toMatchInlineSnapshot(
      `"dataParallel: the result at "0" for all rows is not what shards of them give side by side, for these values or for others that were tried: rows depend on each other; where rows depend on each other, call the function itself, or compile it"`,
    );
    expect(said((z) => z!.reshape([3, 3]), { axis: 0, out: 0 }, x)).toMatchInlineSnapshot(
      `"reshape: [4,2] has 8 elements and does not fit shape [3,3]"`,
    );
  });

  test("for what changed outside", () => {
    let factor = 2;
    const scaled = dataParallel((z: Tensor) => z.mul(factor), { axis: 0, out: 0, shards: 2 });
    scaled(x);
    factor = 3;
    expect(() => scaled(x)).toThrowErrorMatchingInlineSnapshot(
      `[Error: dataParallel: the function is not what was recorded, since it takes something from outside that has changed: float64.scale took the number 2 and now 3; pass what changes as an argument (a tensor, so that it needs no plan of its own), or call the function itself]`,
    );
  });

  test("for an index that is out of range, the function's own", () => {
    const parallel = dataParallel((t: Tensor) => oneHot(t, 3), { axis: 0, out: 0, shards: 2 });
    parallel(classes(4, 1));
    expect(() => parallel(tensor([0, 1, 2, 3], { dtype: "int32" }))).toThrow(/oneHot/);
  });
});

test("other kernels run it too", () => {
  const backend = createBackend({ kernels: "simd" });
  const x = tensor([[1], [2], [3], [4]], { backend });
  const parallel = dataParallel((z: Tensor) => z.square(), {
    axis: 0,
    out: 0,
    shards: 4,
    threads: 2,
  });
  parallel(x);
  expect(parallel(x).toArray()).toEqual([[1], [4], [9], [16]]);
});

test("has the type of the function", () => {
  const f = (_: Params, x: Tensor, count: number) => [x.sum(), { x, count }] as const;
  const parallel = dataParallel(f, { axis: [null, 0, null], out: ["sum", { x: 0, count: null }] });
  expectTypeOf(parallel).parameters.toEqualTypeOf<[Params, Tensor, number]>();
  expectTypeOf(parallel).returns.toEqualTypeOf<ReturnType<typeof f>>();
  // @ts-expect-error: one axis for each argument.
  dataParallel(f, { axis: [null, 0], out: "sum" });
  // Options for any function have one axis, and those for one function one for each argument.
  const whole: DataParallelOptions = { axis: 0, out: "sum" };
  dataParallel(f, whole);
  const each: DataParallelOptions<Parameters<typeof f>> = { axis: [null, 0, null], out: "sum" };
  dataParallel(f, each);
  // @ts-expect-error: of which function?
  const none: DataParallelOptions = { axis: [null, 0, null], out: "sum" };
  expect([whole.axis, each.axis, none.axis]).toEqual([0, [null, 0, null], [null, 0, null]]);
  // @ts-expect-error: no such word.
  expect(() => dataParallel(f, { axis: 0, out: "average" })).toThrow(/"average"/);
});
