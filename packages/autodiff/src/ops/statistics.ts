import { isFloat } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import { format, normalizeAxes, reducedShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Op, op } from "./declare.ts";
import { euclidean } from "./euclidean.ts";
import { concat } from "./join.ts";
import { max, sum } from "./reduce.ts";
import { keptDims, type ReduceOp, reduceSamples } from "./reduction.ts";
import { reshape } from "./shape.ts";

/** Throws a sentence for int32, of which a mean would have to be rounded. */
function checkFloat({ dtype, shape }: Tensor, name: string): void {
  if (isFloat(dtype)) return;
  throw new TypeError(
    `${name}: argument x is int32 ${format(shape)}, expected float32 or float64; convert it with cast(x, "float32")`,
  );
}

/** The arithmetic mean along axes (all unless given); NaN of nothing. */
export const mean: ReduceOp = op(
  { name: "mean", composite: true, samples: reduceSamples((x, axes, o) => mean(x, axes, o)) },
  (x: Tensor, axes?: number | readonly number[], options?: { keepDims?: boolean }) => {
    checkFloat(x, "mean");
    checkOptions("mean", options, ["keepDims"]);
    const list = normalizeAxes(axes, x.rank, "mean");
    const count = sizeOf(list.map((axis) => x.shape[axis]!));
    return sum(x, list, options).div(count);
  },
  1,
);

/**
 * The product along axes (all unless given). It multiplies in pairs, so its gradient is right where
 * elements are 0.
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
  (x: Tensor, axes?: number | readonly number[], options?: { keepDims?: boolean }) => {
    const keepDims = keptDims("prod", options);
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

/** Options of `variance` and `std`. */
export interface VarianceOptions {
  readonly keepDims?: boolean;
  /**
   * What is subtracted from the number of elements that the squares are divided by; 0 unless given.
   */
  readonly correction?: number;
}

/** A measure of how far elements are from their mean. */
export type VarianceOp = Op<
  (x: Tensor, axes?: number | readonly number[], options?: VarianceOptions) => Tensor
>;

/**
 * The distances from the mean, along which axes, and by how many elements their squares are
 * divided: none below 0.
 */
function centred(
  x: Tensor,
  axes: number | readonly number[] | undefined,
  options: VarianceOptions | undefined,
  name: string,
): [distances: Tensor, list: readonly number[], count: number] {
  checkFloat(x, name);
  const { correction = 0 } = options ?? {};
  if (typeof correction !== "number") {
    throw new TypeError(`${name}: correction must be a number, got ${String(correction)}`);
  }
  const list = normalizeAxes(axes, x.rank, name);
  const count = sizeOf(list.map((axis) => x.shape[axis]!));
  return [x.sub(mean(x, list, { keepDims: true })), list, Math.max(0, count - correction)];
}

/**
 * The mean squared distance from the mean along axes, in two passes; divided by `n - correction` (0
 * unless given, as in NumPy; 1 is the unbiased estimate, PyTorch's default). NaN or Infinity where
 * that is not positive.
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
export const variance: VarianceOp = op(
  {
    name: "variance",
    composite: true,
    samples: reduceSamples((x, axes, o) => variance(x, axes, o)),
  },
  (x: Tensor, axes?: number | readonly number[], options?: VarianceOptions) => {
    const keepDims = keptDims("variance", options, ["keepDims", "correction"]);
    const [distances, list, count] = centred(x, axes, options, "variance");
    return sum(distances.square(), list, { keepDims }).div(count);
  },
  1,
);

/**
 * The standard deviation along axes: the root of `variance` with the same options. Its gradient
 * where all elements are equal is taken as 0, as in PyTorch.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 3], [2, 6]]);
 * x.std(1).toArray(); // => [1, 2]
 * x.std(1, { correction: 1 }).square().round().toArray(); // => [2, 8]
 * ```
 */
export const std: VarianceOp = op(
  { name: "std", composite: true, samples: reduceSamples((x, axes, o) => std(x, axes, o)) },
  (x: Tensor, axes?: number | readonly number[], options?: VarianceOptions) => {
    const keepDims = keptDims("std", options, ["keepDims", "correction"]);
    const [distances, list, count] = centred(x, axes, options, "std");
    return norm(distances, list, { keepDims }).div(Math.sqrt(count));
  },
  1,
);

/** Options of `norm`. */
export interface NormOptions {
  readonly keepDims?: boolean;
  /** 1, 2 (unless given) or `Infinity`. */
  readonly order?: number;
}

/**
 * The vector norm along axes (all unless given): `order` 1, 2 (unless given) or `Infinity`. The
 * gradient at a zero vector is taken as 0.
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
  (x: Tensor, axes?: number | readonly number[], options?: NormOptions) => Tensor
> = op(
  { name: "norm", composite: true, samples: reduceSamples((x, a, o) => norm(x, a, o)), kinks: [0] },
  (x: Tensor, axes?: number | readonly number[], options?: NormOptions) => {
    checkFloat(x, "norm");
    const keepDims = keptDims("norm", options, ["keepDims", "order"]);
    const { order = 2 } = options ?? {};
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
