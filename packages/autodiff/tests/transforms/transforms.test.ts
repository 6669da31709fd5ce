import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  customGradient,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  linearize,
  scope,
  Tape,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
} from "../../src/index.ts";

const f64 = (x: number | number[] | number[][]) => tensor(x, { dtype: "float64" });
const near = (x: Tensor, y: number[] | number[][], digits = 12) => {
  const [a, b] = [[...x.toTypedArray()], y.flat()];
  expect(a).toHaveLength(b.length);
  for (const [i, v] of b.entries()) expect(a[i]!).toBeCloseTo(v, digits);
};
const vectors = fc.array(fc.double({ min: -1.5, max: 1.5, noNaN: true }), {
  minLength: 2,
  maxLength: 4,
});

test("grad of a tree, with further arguments", () => {
  const f = (p: { w: Tensor; b: Tensor }, x: number) => p.w.mul(x).add(p.b).square().sum();
  const g = grad(f)({ w: f64([1, 2]), b: f64([0, 1]) }, 3);
  expectTypeOf(g).toEqualTypeOf<{ w: Tensor; b: Tensor }>();
  near(g.w, [18, 42]);
  near(g.b, [6, 14]);
});

test("valueAndGrad gives both", () => {
  const [value, gradient] = valueAndGrad((x: Tensor) => x.exp().sum())(f64([0, 1]));
  expect(value.item()).toBeCloseTo(1 + Math.E, 14);
  near(gradient, [1, Math.E]);
});

test("grad of grad of grad of sin is -cos", () => {
  const d = grad((x: Tensor) => grad((y: Tensor) => grad((z: Tensor) => z.sin())(y))(x));
  fc.assert(
    fc.property(fc.double({ min: -3, max: 3, noNaN: true }), (x) => {
      expect(d(f64(x)).item()).toBeCloseTo(-Math.cos(x), 12);
    }),
  );
});

test("jacobian by either mode is the matrix of a linear map", () => {
  const A = f64([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  near(
    jacobian((x) => A.matmul(x), f64([1, 1, 1])),
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  );
  near(
    jacobian((x) => A.matmul(x, { transposeA: true }), f64([1, 1])),
    [
      [1, 4],
      [2, 5],
      [3, 6],
    ],
  );
  expect(jacobian((x) => x.reshape([2, 1]).matmul(x.reshape([1, 2])), f64([1, 2])).shape).toEqual([
    2, 2, 2,
  ]);
  near(
    jacobian(() => f64([1, 2]), f64([1])),
    [0, 0],
  );
});

test("the hessian is symmetric, and its product with v is hvp", () => {
  const f = (x: Tensor) => x.sin().mul(x.sum().exp()).sum().add(x.prod());
  fc.assert(
    fc.property(vectors, (values) => {
      scope(() => {
        const x = f64(values);
        const v = f64(values.map((_, i) => Math.cos(3 * i + 1)));
        const H = hessian(f, x);
        near(H, H.transpose().toArray() as number[][], 10);
        near(hvp(f, x, v), H.matmul(v).toArray() as number[], 10);
      });
    }),
    { numRuns: 30 },
  );
});

test("hvp, jvp of grad, and grad of <grad, v> are one", () => {
  const f = (x: Tensor) => x.tanh().matmul(x.square().add(1).log());
  fc.assert(
    fc.property(vectors, (values) => {
      scope(() => {
        const x = f64(values);
        const v = f64(values.map((_, i) => Math.sin(2 * i + 1)));
        const one = hvp(f, x, v).toArray() as number[];
        near(jvp((z: Tensor) => grad(f)(z), x, v)[1], one, 11);
        near(grad((z: Tensor) => grad(f)(z).mul(v).sum())(x), one, 11);
      });
    }),
    { numRuns: 30 },
  );
});

describe("recorded sweeps", () => {
  test("can be differentiated on the same tape", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([2]));
      const y = x.pow(4).sum();
      const first = tape.gradient(y, x, { record: true });
      const second = tape.gradient(first.sum(), x, { record: true });
      near(first, [32]);
      near(second, [48]);
      near(tape.gradient(second.sum(), x), [48]);
    });
  });

  test("agree bitwise with those that are not", () => {
    fc.assert(
      fc.property(vectors, (values) => {
        scope(() => {
          const tape = new Tape();
          const x = tape.watch(f64(values));
          const W = tape.watch(
            f64(values.map((_, i) => values.map((_, j) => Math.sin(i * 3 + j)))),
          );
          const y = x.matmul(W).tanh().matmul(W).softmax().log().mul(x).sum();
          const plain = tape.gradient(y, [x, W]);
          const recorded = tape.gradient(y, [x, W], { record: true });
          for (const i of [0, 1]) near(plain[i]!, [...recorded[i]!.toTypedArray()], 13);
        });
      }),
    );
  });
});

test("vjp's pullback is linear in the cotangent", () => {
  scope(() => {
    const [, pullback] = vjp((x: Tensor) => x.exp().matmul(x), f64([0.1, 0.2]));
    near(pullback(f64(2)), [...pullback(f64(1)).mul(2).toTypedArray()]);
  });
});

test("jvp of a tree of outputs, zeros where nothing varies", () => {
  const [y, dy] = jvp(
    (p: { a: Tensor; b: Tensor }) => ({ product: p.a.mul(p.b), fixed: f64([7]) }),
    { a: f64([2]), b: f64([3]) },
    { a: f64([1]), b: f64([10]) },
  );
  near(y.product, [6]);
  near(dy.product, [23]);
  near(dy.fixed, [0]);
});

test("the types of trees are inferred", () => {
  const params = { layers: [{ W: f64([1]) }, { W: f64([2]) }], b: f64([3]) };
  const g = grad((p: typeof params) => p.layers[0]!.W.mul(p.b).sum())(params);
  expectTypeOf(g.layers).toEqualTypeOf<{ W: Tensor }[]>();
  expectTypeOf<Tensor["sum"]>().returns.toEqualTypeOf<Tensor>();
  // @ts-expect-error a tensor has no such op
  expectTypeOf<Tensor["wobble"]>();
});

test("vjp of a function that returns a tree is refused", () => {
  const f = (x: Tensor) => [x, x] as unknown as Tensor;
  expect(() => vjp(f, f64([1, 2]))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: vjp: the function must return a tensor, got an array; for several, give their list to tape.gradient with { cotangent }]`,
  );
});

test("the rule of a custom gradient may read a tracked value from outside", () => {
  const f = (z: Tensor) =>
    customGradient(
      (x: Tensor) => x.mul(2),
      (g) => g.mul(z),
    )(z);
  const x = f64([1, 2]);
  near(grad((z: Tensor) => f(z).sum())(x), [1, 2]);
  near(grad((z: Tensor) => f(z).square().sum())(x), [4, 16]);
  near(jvp(f, x, f64([1, 1]))[1], [1, 2]);
  near(
    scope(() => vjp(f, x)[1](f64([1, 10]))),
    [1, 20],
  );
  const tape = new Tape();
  const z = tape.watch(x);
  const found = tape.gradient(f(z).sum(), z);
  near(found, [1, 2]);
  expect(found.tape).toBeNull();
  // By an outer tape the rule has derivatives: those of <z, 1>.
  near(grad((w: Tensor) => grad((v: Tensor) => f(v).sum())(w).sum())(x), [1, 1]);
});

describe("linearize", () => {
  const x = tensor([1, 2], { dtype: "float64" });
  test("gives derivatives in many directions, those of jvp", () => {
    const f = (z: Tensor) => ({ y: z.square().mul(z.sin()), same: z });
    const [value, push] = linearize(f, x);
    expect(value.y.toArray()).toEqual(f(x).y.toArray());
    for (const direction of [
      tensor([1, 0], { dtype: "float64" }),
      tensor([-3, 5], { dtype: "float64" }),
    ]) {
      const [, expected] = jvp(f, x, direction);
      const found = push(direction);
      expect(found.y.toArray()).toEqual(expected.y.toArray());
      expect(found.same.toArray()).toEqual(direction.toArray());
    }
  });
  test("refuses what is no function of tensors, and a push after its scope", () => {
    expect(() => linearize(3 as never, x)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: linearize: expected a function of tensors, got 3]`,
    );
    expect(() => linearize(() => 5, x)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: linearize: f: expected tensors in plain objects and arrays, got 5 at its root]`,
    );
    const push = scope(() => linearize((z) => z.square(), x)[1]);
    expect(() => push(x)).toThrowErrorMatchingInlineSnapshot(
      `[Error: linearize: the tape has ended: the scope it was made in has ended; return it from the scope to keep it; make the tape in the scope that uses it, or detach(...) the value]`,
    );
  });
});
