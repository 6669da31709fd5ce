import { expect, test } from "vitest";
import { einsum, grad, jvp, ones, type Tensor, tensor, where, zeros } from "../../src/index.ts";
import { crossEntropy } from "../../src/internal.ts";
import { liveView } from "../../src/ndarray.ts";

test("reductions of axes of length 0 are empty sums, whichever axis it is", () => {
  for (const shape of [
    [3, 0],
    [2, 3, 0],
    [0, 2, 3],
  ]) {
    expect(zeros(shape).sum().item()).toBe(0);
    expect(zeros(shape).mean().item()).toBeNaN();
  }
  expect(zeros([2, 3, 0]).sum([1, 2]).toArray()).toEqual([0, 0]);
  expect(einsum("ij->", ones([3, 0])).item()).toBe(0);
  expect(zeros([3, 0]).prod(1, { keepDims: true }).toArray()).toEqual([[1], [1], [1]]);
});

test("the tangent of where has its value's shape", () => {
  const b = tensor([1, 2, 3]);
  const [y, dy] = jvp((x: Tensor) => where(tensor([1, 0, 1]), ones([1, 3]), x), b, b);
  expect(dy.shape).toEqual(y.shape);
});

test("where takes an int32 condition between numbers", () => {
  expect(where(tensor(Int32Array.of(1, 0)), 2, 3).toArray()).toEqual([2, 3]);
});

test("powers have all their derivatives at 0", () => {
  const d = (f: (x: Tensor) => Tensor) => grad((x: Tensor) => f(x));
  let f = (x: Tensor): Tensor => x.pow(3);
  const found: number[] = [];
  for (let n = 0; n < 5; n++) {
    f = d(f);
    found.push(f(tensor(0, { dtype: "float64" })).item());
  }
  expect(found).toEqual([0, 0, 6, 0, 0]);
});

test("ignored rows stay out of every derivative, whatever they hold", () => {
  const logits = tensor(
    [
      [1, 2],
      [Number.NaN, 0],
    ],
    { dtype: "float64" },
  );
  const f = (x: Tensor) => crossEntropy(x, [0, -100]).sum();
  const ignored = (x: Tensor) => x.toArray<number[][]>()[1];
  expect(ignored(grad(f)(logits))).toEqual([0, 0]);
  expect(
    ignored(
      grad((x: Tensor) =>
        grad(f)(x)
          .mul(ones([2, 2], { dtype: "float64" }))
          .slice([0])
          .square()
          .sum(),
      )(logits),
    ),
  ).toEqual([0, 0]);
  expect(jvp(f, logits, ones([2, 2], { dtype: "float64" }))[1].item()).toBeCloseTo(0, 12);
});

test("a forward sweep sees that a value was changed", () => {
  const f = (x: Tensor) => {
    const y = x.exp();
    y.mul(1);
    liveView(y).set(0, 100);
    return y;
  };
  expect(() => jvp(f, tensor([0]), tensor([1]))).toThrow(/was changed through a live view/);
});

test("the mean of ones is one", () => {
  expect(ones([49], { dtype: "float64" }).mean().item()).toBe(1);
});

test("the slope of gelu is right in the left tail, at 0 and beyond the range of squares, in both modes", () => {
  // Phi(x) + x phi(x) and phi(x) (2 - x^2), by series with 90 digits.
  const dtype = "float64";
  const x = tensor([-9, -6, 0, 5e-324, -5e-324, 1e300, -1e300], { dtype });
  const expected = [-9.138937373906639e-18, -3.5468709453902015e-8, 0.5, 0.5, 0.5, 1, 0];
  const by = (found: Tensor, truth: number[], unit: number) => {
    for (const [i, value] of [...found.toTypedArray()].entries()) {
      const error = Math.abs(value - truth[i]!);
      expect(error, `${i}: ${value}`).toBeLessThanOrEqual(unit * Math.abs(truth[i]!));
    }
  };
  const slope = (z: Tensor) => grad((w: Tensor) => w.gelu().sum())(z);
  const one = ones([7], { dtype });
  by(slope(x), expected, 1e-14);
  by(jvp((z: Tensor) => z.gelu(), x, one)[1], expected, 1e-14);
  const curvature = [
    -8.121021121618442e-17, -2.065800168939917e-7, 0.7978845608028654, 0.7978845608028654,
    0.7978845608028654, 0, 0,
  ];
  by(jvp(slope, x, one)[1], curvature, 1e-14);
  by(grad((z: Tensor) => slope(z).sum())(x), curvature, 1e-14);
  by(slope(tensor([-6, -5])), [-3.5468709453902015e-8, -7.146946001792295e-6], 3e-6);
});

test("running products are rounded one after the other, and nothing else overflows", () => {
  const x = tensor([1e-30, 1e-30, 1e30, 1e30]);
  const small = Math.fround(1e-30);
  expect(x.cumprod().toArray()).toEqual([small, 0, 0, 0]);
  const huge = Math.fround(1e30);
  expect(x.flip(0).cumprod().toArray()).toEqual([huge, Infinity, Infinity, Infinity]);
  expect(x.cumprod(0, { reverse: true }).toArray()).toEqual([Infinity, Infinity, Infinity, huge]);
  const y = tensor([1e-200, 1e-200, 1e200, 1e200], { dtype: "float64" });
  expect(y.cumprod().toArray()).toEqual([1e-200, 0, 0, 0]);
  // Two rows at once, and int32, which wraps.
  expect(
    tensor([
      [3, 1],
      [5, 2],
      [7, 4],
    ])
      .cumprod()
      .toArray(),
  ).toEqual([
    [3, 1],
    [15, 2],
    [105, 8],
  ]);
  expect(
    tensor(Int32Array.of(2 ** 30, 2, 3))
      .cumprod()
      .toArray(),
  ).toEqual([2 ** 30, -(2 ** 31), -(2 ** 31)]);
  expect([zeros([0]).cumprod().shape, tensor([3]).cumprod().toArray()]).toEqual([[0], [3]]);
});

test("refusals of dtypes name the arguments that the caller gave", () => {
  const [ints, floats] = [tensor(Int32Array.of(1, 0)), tensor([0.5, 0])];
  expect(() => where(floats, ints, floats)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: where: arguments must share a dtype, got int32 for a and float32 for b; convert one with cast(x, "int32")]`,
  );
  expect(() => ints.logicalAnd(0.5)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: logicalAnd: 0.5 is no int32, expected a whole number from -2147483648 to 2147483647; round and clip it first]`,
  );
  expect(() => ints.logicalOr(floats)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: logicalOr: arguments must share a dtype, got int32 for a and float32 for b; convert one with cast(x, "int32")]`,
  );
  // A number takes the dtype of the tensor beside it.
  const f64 = floats.cast("float64");
  expect([ints.logicalAnd(2).toArray(), f64.logicalXor(3).toArray()]).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect(f64.logicalOr(Number.NaN).dtype).toBe("float64");
});
