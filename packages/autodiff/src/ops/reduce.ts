import type { ArgReduceName, ReduceKernel, ReduceName } from "../kernels/contract.ts";
import type { Backend } from "../tensor/backend.ts";
import { bytesOf } from "../tensor/dtype.ts";
import {
  format,
  normalizeAxes,
  normalizeAxis,
  reducedShape,
  type Shape,
  sameShape,
  sizeOf,
} from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { equal } from "./compare.ts";
import {
  type InputSpec,
  type NoRule,
  none,
  type Op,
  type OpDeclaration,
  op,
  type Sample,
} from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import { where } from "./select.ts";
import { broadcastTo, concat, reshape } from "./shape.ts";

/** Which axes to reduce (all unless given), and whether to leave ones in their places. */
export type ReduceOp = Op<
  (x: Tensor, axes?: number | readonly number[], options?: { keepDims?: boolean }) => Tensor
>;

/** Axes to reduce, sorted; the output is without them. */
type Axes = readonly number[];

/**
 * Reduces `axes` of a contiguous `shape` from `x` into `y`, one run of neighbouring axes at a time, from the last
 * to the first so that what is left stays contiguous.
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
  let length = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (axes.includes(axis)) {
      length = (length || 1) * shape[axis]!;
      if (axis === 0 || !axes.includes(axis - 1)) {
        runs.push([sizeOf(shape.slice(0, axis)), length, inner]);
        length = 0;
      }
    } else inner *= shape[axis]!;
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
  readonly keeps: OpDeclaration["keeps"];
  /** What an empty set reduces to is not defined for every reduction. */
  readonly empty: boolean;
  readonly apart?: boolean;
}

function reduction({ name, vjp, jvp, keeps, empty, apart }: ReduceDeclaration): ReduceOp {
  const declaration: OpDeclaration<Axes> = {
    name,
    inputs: ["x"],
    shape([x], axes) {
      if (!empty && axes.some((axis) => x!.shape[axis] === 0)) {
        throw new RangeError(
          `${name}: ${format(x!.shape)} is empty along a reduced axis, and ${name} of nothing is not defined`,
        );
      }
      return reducedShape(x!.shape, axes, false);
    },
    forward(backend, [x], y, axes) {
      const kernel = kernelsOf(backend, y)[name];
      reduceAlong(backend, kernel, x!.shape, axes, bytesOf[y.dtype], x!.pointer, y.pointer);
    },
    keeps,
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
    (x: Tensor, axes?: number | readonly number[], { keepDims = false } = {}) => {
      const list = normalizeAxes(axes, x.rank, name);
      const result = apply(declaration, [x], list);
      return keepDims ? reshape(result, reducedShape(x.shape, list, true)) : result;
    },
    1,
  );
  return reduce;
}

function reduceSamples(
  call: (x: Tensor, axes?: number | readonly number[], options?: { keepDims?: boolean }) => Tensor,
  domain: InputSpec["domain"] = [-2, 2],
): Sample[] {
  return [
    { label: "all of [2,3]", inputs: [{ shape: [2, 3], domain }], call: ([x]) => call(x!) },
    { label: "axis 0", inputs: [{ shape: [3, 2], domain }], call: ([x]) => call(x!, 0) },
    {
      label: "axes 0 and 2, kept",
      inputs: [{ shape: [2, 3, 2], domain }],
      call: ([x]) => call(x!, [0, -1], { keepDims: true }),
    },
    { label: "a scalar", inputs: [{ shape: [], domain }], call: ([x]) => call(x!) },
  ];
}

/**
 * The sum of the elements along axes (all unless given).
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
  keeps: { inputs: [], output: false },
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
  keeps: { inputs: [0], output: true },
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

/** `exp(x - y)`, the softmax along `axes`; 0 where everything is -Infinity. */
function responsibilities(x: Tensor, y: Tensor, axes: Axes): Tensor {
  const finite = where(equal(y, -Infinity), 0, y);
  return x.sub(reshape(finite, reducedShape(x.shape, axes, true))).exp();
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
  keeps: { inputs: [0], output: true },
  empty: false,
});

/** The arithmetic mean along axes (all unless given); NaN of nothing. */
export const mean: ReduceOp = op(
  { name: "mean", composite: true, samples: reduceSamples((x, axes, o) => mean(x, axes, o)) },
  (x: Tensor, axes?: number | readonly number[], options: { keepDims?: boolean } = {}) => {
    const list = normalizeAxes(axes, x.rank, "mean");
    const count = sizeOf(list.map((axis) => x.shape[axis]!));
    return sum(x, list, options).mul(1 / count);
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
    if (length === 0)
      return broadcastTo(sum(x, list).add(1), reducedShape(x.shape, list, keepDims));
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
    return sum(centred.square(), list, { keepDims }).mul(1 / (count - correction));
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
    // Scaled by the largest magnitude, a constant factor that cancels, so that squares neither overflow nor vanish.
    if (x.size === 0) return sum(x, list, { keepDims });
    const largest = max(x.detach().abs(), list, { keepDims: true });
    const scale = where(equal(largest, 0), 1, where(equal(largest, Infinity), 1, largest));
    const squares = sum(x.div(scale).square(), list, { keepDims: true });
    const isZero = equal(squares, 0);
    const root = where(isZero, 0, where(isZero, 1, squares).sqrt());
    return reshape(root.mul(scale), reducedShape(x.shape, list, keepDims));
  },
  1,
);

/** Sums `x` down to `shape`, over the axes along which `shape` broadcasts: the adjoint of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const axes = x.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1));
  return reshape(sum(x, axes), shape);
}

const cumsumDeclaration: OpDeclaration<{ axis: number; reverse: boolean }> = {
  name: "cumsum",
  inputs: ["x"],
  shape: ([x]) => x!.shape,
  forward(backend, [x], y, { axis, reverse }) {
    const outer = sizeOf(x!.shape.slice(0, axis));
    const inner = sizeOf(x!.shape.slice(axis + 1));
    const { cumsum: kernel } = kernelsOf(backend, y);
    kernel(outer, x!.shape[axis]!, inner, reverse ? 1 : 0, x!.pointer, y.pointer);
  },
  keeps: { inputs: [], output: false },
  vjp: [
    (g, { attributes: { axis, reverse } }) =>
      apply(cumsumDeclaration, [g], { axis, reverse: !reverse }),
  ],
  jvp: "linear",
  samples: [
    { label: "[4]", inputs: [{ shape: [4] }], call: ([x]) => cumsum(x!) },
    {
      label: "axis 1, reversed",
      inputs: [{ shape: [2, 3, 2] }],
      call: ([x]) => cumsum(x!, 1, { reverse: true }),
    },
  ],
};

/**
 * Running sums along an axis (0 unless given), from the far end when `reverse`.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([1, 2, 3]);
 * x.cumsum().toArray(); // => [1, 3, 6]
 * x.cumsum(0, { reverse: true }).toArray(); // => [6, 5, 3]
 * ```
 */
export const cumsum: Op<(x: Tensor, axis?: number, options?: { reverse?: boolean }) => Tensor> = op(
  cumsumDeclaration,
  (x: Tensor, axis = 0, { reverse = false } = {}) =>
    apply(cumsumDeclaration, [x], { axis: normalizeAxis(axis, x.rank, "cumsum"), reverse }),
  1,
);

/** The int32 position of an extreme element along an axis. */
export type ArgReduceOp = Op<(x: Tensor, axis?: number) => Tensor>;

function argReduction(name: ArgReduceName): ArgReduceOp {
  const integerOutput: NoRule = none("integer output: nothing flows through");
  const declaration: OpDeclaration<number> = {
    name,
    inputs: ["x"],
    shape([x], axis) {
      if (x!.shape[axis] !== 0) return x!.shape.toSpliced(axis, 1);
      throw new RangeError(
        `${name}: axis ${axis} of ${format(x!.shape)} is empty, and ${name} of nothing is not defined`,
      );
    },
    dtype: () => "int32",
    forward(backend, [x], y, axis) {
      const outer = sizeOf(x!.shape.slice(0, axis));
      const inner = sizeOf(x!.shape.slice(axis + 1));
      kernelsOf(backend, x!)[name](outer, x!.shape[axis]!, inner, x!.pointer, y.pointer);
    },
    keeps: { inputs: [], output: false },
    vjp: integerOutput,
    jvp: integerOutput,
    samples: [
      {
        label: "[2,3]",
        inputs: [{ shape: [2, 3] }],
        call: ([x]) => apply(declaration, [x!], 1),
      },
    ],
  };
  return op(
    declaration,
    (x: Tensor, axis?: number) =>
      axis === undefined
        ? apply(declaration, [reshape(x, [-1])], 0)
        : apply(declaration, [x], normalizeAxis(axis, x.rank, name)),
    1,
  );
}

/**
 * The int32 position of the first largest element along an axis, or in the flattened tensor.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 7], [9, 2]]);
 * x.argmax(1).toArray(); // => [1, 0]
 * x.argmax().item(); // => 2
 * ```
 */
export const argmax: ArgReduceOp = argReduction("argmax");
/** The int32 position of the first smallest element along an axis, or in the flattened tensor. */
export const argmin: ArgReduceOp = argReduction("argmin");
