import ndarray from "ndarray";
import { tensor } from "../../tensor/create.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { map } from "../../tensor/tree.ts";
import { randomVector } from "../function.ts";
import type { Law } from "../law.ts";
import { type Case, flattened, type LawOptions, lawOf, same, worse } from "./case.ts";

/**
 * The same numbers behind reversed, permuted, offset strides, read through the ndarray entry point.
 */
function strided(x: Tensor): Tensor {
  const values = x.toTypedArray();
  const [shape, n] = [x.shape, x.shape.length];
  // Axes in reverse order in memory, each run backwards, two elements apart, from an odd start.
  const stride = new Array<number>(n);
  let length = 2;
  for (let axis = 0; axis < n; axis++) {
    stride[axis] = -length;
    length *= Math.max(1, shape[axis]!);
  }
  const offset =
    3 + shape.reduce((sum, size, axis) => sum - Math.max(0, size - 1) * stride[axis]!, 0);
  const data = new (values.constructor as Float64ArrayConstructor)(length + 3);
  const view = ndarray(data, [...shape], stride, offset);
  const index = new Array<number>(n).fill(0);
  for (const value of values) {
    view.set(...index, value);
    for (let axis = n - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return tensor(view, { dtype: x.dtype, backend: x.backend });
}

/** The same numbers as a slice that shares the bytes of something larger, some elements in. */
function inside(x: Tensor): Tensor {
  const values = x.toTypedArray();
  const data = new (values.constructor as Float64ArrayConstructor)(3 * Math.max(1, values.length));
  data.fill(7);
  data.set(values, values.length);
  const whole = tensor(data, { shape: [3, Math.max(1, values.length)], backend: x.backend });
  return whole
    .slice([1])
    .slice([[0, values.length]])
    .reshape(x.shape);
}

/** Results do not depend on how inputs lay in memory. */
export function layoutLaws<T>(
  cases: readonly Case<T>[],
  { dtype = "float64" }: LawOptions = {},
): Law[] {
  const head = {
    name: "layout",
    statement:
      "inputs of any strides, or inside other tensors, give the same bits as contiguous ones",
    bound: 0,
  };
  return [
    lawOf(cases, head, (c, seed) =>
      scope(() => {
        const plain = flattened(c, seed, dtype);
        const u = randomVector(plain.outputs, seed + 1);
        const [values, gradients] = [plain.at(plain.x), plain.pulled((pullback) => pullback(u))];
        const variants = { strided, inside } as const;
        return Object.entries(variants)
          .map(([name, variant]) => {
            const f: Case<T>["f"] = (x) => c.f(x);
            const moved = flattened(
              { ...c, f, draw: (at, type) => map(c.draw(at, type), variant) as T },
              seed,
              dtype,
            );
            return worse(
              same(moved.original(), values, `value with ${name} inputs`),
              same(
                moved.pulled((pullback) => pullback(u)),
                gradients,
                `gradient with ${name} inputs`,
              ),
            );
          })
          .reduce(worse);
      }),
    ),
  ];
}
