import type { FloatKernels } from "../kernels/contract.ts";
import { int32ReduceNames } from "../kernels/int32.ts";
import type { ReduceKernel, ReduceName } from "../kernels/reduce.ts";
import type { Backend } from "../tensor/backend.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { format, normalizeAxes, reducedShape, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { equal } from "./compare.ts";
import { type OpDeclaration, op } from "./declare.ts";
import { arithmeticOf } from "./kernels.ts";
import { keptDims, type ReduceOp, reduceSamples } from "./reduction.ts";
import { where } from "./select.ts";
import { broadcastTo, reshape } from "./shape.ts";

/** Axes to reduce, sorted; the output is without them. */
type Axes = readonly number[];

/**
 * Reduces `axes` of a contiguous `shape` from `x` into `y`, one run of neighbouring axes at a time,
 * from the last to the first, so that the rest stays contiguous.
 */
function reduceAlong(
  backend: Backend,
  kernel: ReduceKernel,
  shape: Shape,
  axes: Axes,
  bytes: number,
  x: number,
  y: number,
): void {
  const { memory } = backend;
  const runs: [outer: number, length: number, inner: number][] = [];
  let inner = 1;
  let length = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (!axes.includes(axis)) {
      inner *= shape[axis]!;
      continue;
    }
    length *= shape[axis]!;
    if (axis > 0 && axes.includes(axis - 1)) continue;
    runs.push([sizeOf(shape.slice(0, axis)), length, inner]);
    length = 1;
  }
  if (runs.length === 0) runs.push([sizeOf(shape), 1, 1]);
  let from = x;
  let held = 0;
  for (const [i, [outer, count, within]] of runs.entries()) {
    const size = Math.max(1, outer * within * bytes);
    const to = i === runs.length - 1 ? y : memory.allocate(size);
    kernel(outer, count, within, from, to);
    if (from !== x) memory.release(from, held);
    from = to;
    held = size;
  }
}

/** `g` spread back over the axes that were reduced to make it. */
function spread(g: Tensor, shape: Shape, axes: Axes): Tensor {
  return broadcastTo(reshape(g, reducedShape(shape, axes, true)), shape);
}

interface ReduceDeclaration {
  readonly name: ReduceName;
  readonly vjp: (g: Tensor, x: Tensor, y: Tensor, axes: Axes) => Tensor;
  readonly jvp: "linear" | ((dx: Tensor, x: Tensor, y: Tensor, axes: Axes) => Tensor);
  readonly residuals: OpDeclaration["residuals"];
  /** What an empty set reduces to is not defined for every reduction. */
  readonly empty: boolean;
  readonly apart?: boolean;
}

function reduction({ name, vjp, jvp, residuals, empty, apart }: ReduceDeclaration): ReduceOp {
  const declaration: OpDeclaration<Axes> = {
    name,
    inputs: ["x"],
    accepts: (int32ReduceNames as readonly string[]).includes(name) ? "any" : "float",
    shape([x], axes) {
      if (!empty && axes.some((axis) => x!.shape[axis] === 0)) {
        throw new RangeError(
          `${name}: ${format(x!.shape)} is empty along a reduced axis, and ${name} of nothing is not defined`,
        );
      }
      return reducedShape(x!.shape, axes, false);
    },
    forward(backend, [x], y, axes) {
      const kernel = (arithmeticOf(backend, y) as FloatKernels)[name];
      reduceAlong(backend, kernel, x!.shape, axes, bytesOf[y.dtype], x!.pointer, y.pointer);
    },
    residuals,
    vjp: [(g, { inputs: [x], output, attributes }) => vjp(g, x!, output, attributes)],
    jvp:
      jvp === "linear"
        ? jvp
        : ([dx], { inputs: [x], output, attributes }) => jvp(dx!, x!, output, attributes),
    samples: reduceSamples((x, axes, options) => reduce(x, axes, options)),
    ...(apart !== undefined && { apart }),
  };
  const reduce: ReduceOp = op(
    declaration,
    (x: Tensor, axes?: number | readonly number[], options?: { keepDims?: boolean }) => {
      const keepDims = keptDims(name, options);
      const list = normalizeAxes(axes, x.rank, name);
      const result = apply(declaration, [x], list);
      return keepDims ? reshape(result, reducedShape(x.shape, list, true)) : result;
    },
    1,
  );
  return reduce;
}

/**
 * The sum of the elements along axes (all unless given); that of int32 wraps at 2^31.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * x.sum().item(); // => 21
 * x.sum(0).toArray(); // => [5, 7, 9]
 * x.sum(-1, { keepDims: true }).toArray(); // => [[6], [15]]
 * ```
 */
export const sum: ReduceOp = reduction({
  name: "sum",
  vjp: (g, x, _y, axes) => spread(g, x.shape, axes),
  jvp: "linear",
  residuals: { inputs: [], output: false },
  empty: true,
});

/** 1 where `x` attains the extreme `y` of its axes, divided by how often it does. */
function shareOfExtreme(x: Tensor, y: Tensor, axes: Axes): Tensor {
  const attained = equal(x, reshape(y, reducedShape(x.shape, axes, true)));
  return attained.div(attained.sum(axes, { keepDims: true }));
}

const extreme = {
  vjp: (g: Tensor, x: Tensor, y: Tensor, axes: Axes) =>
    shareOfExtreme(x, y, axes).mul(reshape(g, reducedShape(x.shape, axes, true))),
  jvp: (dx: Tensor, x: Tensor, y: Tensor, axes: Axes) =>
    dx.mul(shareOfExtreme(x, y, axes)).sum(axes),
  residuals: { inputs: [0], output: true },
  empty: false,
  apart: true,
};

/**
 * The largest element along axes; NaN where there is one. Ties share the gradient evenly.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * tensor([[1, 7], [5, 2]]).max(1).toArray(); // => [7, 5]
 * grad((x) => x.max())(tensor([3, 3, 1])).toArray(); // => [0.5, 0.5, 0]
 * ```
 */
export const max: ReduceOp = reduction({ name: "max", ...extreme });

/** The smallest element along axes; NaN where there is one. Ties share the gradient evenly. */
export const min: ReduceOp = reduction({ name: "min", ...extreme });

/**
 * The softmax along `axes`: `exp(x - y)`, divided by its sum, which is not 1 where y is large and
 * therefore coarse. What is Infinity has it all; 0 where everything is -Infinity.
 */
function responsibilities(x: Tensor, y: Tensor, axes: Axes): Tensor {
  const kept = reshape(y, reducedShape(x.shape, axes, true));
  const isInfinite = equal(kept.abs(), Infinity);
  const shifted = where(isInfinite, 0, x.sub(where(isInfinite, 0, kept)));
  const parts = where(isInfinite, equal(x, Infinity), shifted.exp());
  const total = parts.sum(axes, { keepDims: true });
  return parts.div(where(equal(total, 0), 1, total));
}

/**
 * `log(sum(exp(x)))` along axes, shifted by the largest element so that nothing overflows.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([1000, 1000], { dtype: "float64" });
 * x.logSumExp().sub(1000).item().toFixed(4); // => "0.6931"
 * ```
 */
export const logSumExp: ReduceOp = reduction({
  name: "logSumExp",
  vjp: (g, x, y, axes) =>
    responsibilities(x, y, axes).mul(reshape(g, reducedShape(x.shape, axes, true))),
  jvp: (dx, x, y, axes) => responsibilities(x, y, axes).mul(dx).sum(axes),
  residuals: { inputs: [0], output: true },
  empty: false,
});
