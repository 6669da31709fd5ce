import { normalizeAxes, reducedShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Op, op } from "./declare.ts";
import { euclidean } from "./euclidean.ts";
import { concat } from "./join.ts";
import { max, type ReduceOp, reduceSamples, sum } from "./reduce.ts";
import { reshape } from "./shape.ts";

/** The arithmetic mean along axes (all unless given); NaN of nothing. */
export const mean: ReduceOp = op(
  { name: "mean", composite: true, samples: reduceSamples((x, axes, o) => mean(x, axes, o)) },
  (x: Tensor, axes?: number | readonly number[], options: { keepDims?: boolean } = {}) => {
    const list = normalizeAxes(axes, x.rank, "mean");
    const count = sizeOf(list.map((axis) => x.shape[axis]!));
    return sum(x, list, options).div(count);
  },
  1,
);

/**
 * The product along axes (all unless given). It multiplies in pairs, so its gradient is right where elements
 * are 0.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * grad((x) => x.prod())(tensor([2, 0, 3])).toArray(); // => [0, 6, 0]
 * ```
 */
export const prod: ReduceOp = op(
  { name: "prod", composite: true, samples: reduceSamples((x, axes, o) => prod(x, axes, o)) },
  (x: Tensor, axes?: number | readonly number[], { keepDims = false } = {}) => {
    const list = normalizeAxes(axes, x.rank, "prod");
    const kept = x.shape.map((_, axis) => axis).filter((axis) => !list.includes(axis));
    const keptShape = kept.map((axis) => x.shape[axis]!);
    let length = sizeOf(list.map((axis) => x.shape[axis]!));
    const inOrder = kept.every((axis, i) => axis === i);
    let rest = reshape(inOrder ? x : x.transpose([...kept, ...list]), [...keptShape, length]);
    const part = (from: number, to: number) =>
      rest.slice([...keptShape.map(() => null), [from, to]]);
    if (length === 0) return reshape(sum(x, list).add(1), reducedShape(x.shape, list, keepDims));
    while (length > 1) {
      const half = length >> 1;
      const paired = part(0, half).mul(part(half, 2 * half));
      rest = length % 2 === 1 ? concat([paired, part(length - 1, length)], -1) : paired;
      length = half + (length % 2);
    }
    return reshape(rest, reducedShape(x.shape, list, keepDims));
  },
  1,
);

/**
 * The mean squared distance from the mean along axes, in two passes; divided by `n - correction` (0 unless given;
 * 1 is the unbiased estimate).
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([1, 2, 3, 4]);
 * x.variance().item(); // => 1.25
 * x.variance(0, { correction: 1 }).mul(3).item(); // => 5
 * ```
 */
export const variance: Op<
  (
    x: Tensor,
    axes?: number | readonly number[],
    options?: { keepDims?: boolean; correction?: number },
  ) => Tensor
> = op(
  {
    name: "variance",
    composite: true,
    samples: reduceSamples((x, axes, o) => variance(x, axes, o)),
  },
  (x: Tensor, axes?: number | readonly number[], { keepDims = false, correction = 0 } = {}) => {
    const list = normalizeAxes(axes, x.rank, "variance");
    const count = sizeOf(list.map((axis) => x.shape[axis]!));
    const centred = x.sub(mean(x, list, { keepDims: true }));
    return sum(centred.square(), list, { keepDims }).div(count - correction);
  },
  1,
);

/**
 * The vector norm along axes (all unless given): `order` 1, 2 (unless given) or `Infinity`. The gradient at a zero
 * vector is taken as 0.
 *
 * @throws for another order
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * tensor([[3, 4], [6, 8]]).norm(1).toArray(); // => [5, 10]
 * grad((x) => x.norm())(tensor([0, 0])).toArray(); // => [0, 0]
 * ```
 */
export const norm: Op<
  (
    x: Tensor,
    axes?: number | readonly number[],
    options?: { keepDims?: boolean; order?: number },
  ) => Tensor
> = op(
  { name: "norm", composite: true, samples: reduceSamples((x, a, o) => norm(x, a, o)), kinks: [0] },
  (x: Tensor, axes?: number | readonly number[], { keepDims = false, order = 2 } = {}) => {
    const list = normalizeAxes(axes, x.rank, "norm");
    if (order === 1) return sum(x.abs(), list, { keepDims });
    if (order === Infinity) return max(x.abs(), list, { keepDims });
    if (order !== 2) {
      throw new RangeError(`norm: order must be 1, 2 or Infinity, got ${order}`);
    }
    const length = euclidean(x, list);
    return keepDims ? reshape(length, reducedShape(x.shape, list, true)) : length;
  },
  1,
);
