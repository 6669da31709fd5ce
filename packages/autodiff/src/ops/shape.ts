import {
  broadcastsTo,
  checkShape,
  format,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { describe, type Op, type OpDeclaration, op } from "./declare.ts";
import { broadcastStrides, copyStrided } from "./strided.ts";
import { sumTo } from "./sumTo.ts";

/** Throws a sentence unless an argument is an array. */
function checkList(value: unknown, name: string, argument: string): void {
  if (Array.isArray(value)) return;
  throw new TypeError(`${name}: ${argument} must be an array, got ${describe(value)}`);
}

const reshapeDeclaration: OpDeclaration<Shape> = {
  name: "reshape",
  inputs: ["x"],
  accepts: "any",
  shape: (_inputs, shape) => shape,
  view: () => 0,
  residuals: { inputs: [], output: false },
  vjp: [(g, { inputs: [x] }) => reshape(g, x!.shape)],
  jvp: "linear",
  samples: [
    { label: "[2,3] to [3,2]", inputs: [{ shape: [2, 3] }], call: ([x]) => reshape(x!, [3, 2]) },
    { label: "[4] to [2,-1]", inputs: [{ shape: [4] }], call: ([x]) => reshape(x!, [2, -1]) },
    { label: "[1] to []", inputs: [{ shape: [1] }], call: ([x]) => reshape(x!, []) },
  ],
};

/**
 * The same elements in row-major order under another shape; one length may be -1 and is then worked
 * out. No copy.
 *
 * @throws when the sizes differ
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([1, 2, 3, 4]).reshape([2, -1]).toArray(); // => [[1, 2], [3, 4]]
 * ```
 */
export const reshape: Op<(x: Tensor, shape: Shape) => Tensor> = op(
  reshapeDeclaration,
  (x: Tensor, shape: Shape) => {
    checkList(shape, "reshape", "shape");
    const open = shape.indexOf(-1);
    let target: Shape = shape;
    if (open >= 0) {
      const rest = sizeOf(shape.filter((_, axis) => axis !== open));
      target = shape.with(open, rest === 0 ? 0 : x.size / rest);
    }
    if (target.some((n) => !Number.isInteger(n) || n < 0) || sizeOf(target) !== x.size) {
      throw new RangeError(
        `reshape: ${format(x.shape)} has ${x.size} elements and does not fit shape ${format(shape)}`,
      );
    }
    return sameShape(target, x.shape) ? x : apply(reshapeDeclaration, [x], [...target]);
  },
  1,
);

/**
 * Removes axes of length 1: those named, or all.
 *
 * @throws when a named axis is not of length 1
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 *
 * const x = ones([1, 3, 1]);
 * [x.squeeze().shape, x.squeeze(0).shape, x.squeeze([0, -1]).shape]; // => [[3], [3, 1], [3]]
 * ```
 */
export const squeeze: Op<(x: Tensor, axes?: number | readonly number[]) => Tensor> = op(
  {
    name: "squeeze",
    composite: true,
    samples: [
      { label: "[2,1,3]", inputs: [{ shape: [2, 1, 3] }], call: ([x]) => squeeze(x!, 1) },
      { label: "[1,2,1]", inputs: [{ shape: [1, 2, 1] }], call: ([x]) => squeeze(x!, [0, -1]) },
    ],
  },
  (x: Tensor, axes?: number | readonly number[]) => {
    const named = axes === undefined ? undefined : normalizeAxes(axes, x.rank, "squeeze");
    const long = named?.find((axis) => x.shape[axis] !== 1);
    if (long !== undefined) {
      throw new RangeError(
        `squeeze: axis ${long} of ${format(x.shape)} has length ${x.shape[long]}, expected 1`,
      );
    }
    return reshape(
      x,
      x.shape.filter((n, axis) => !(named?.includes(axis) ?? n === 1)),
    );
  },
  1,
);

/**
 * Inserts an axis of length 1 so that it becomes axis `axis` of the result.
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 *
 * const x = ones([2, 3]);
 * [x.expandDims(0).shape, x.expandDims(-1).shape]; // => [[1, 2, 3], [2, 3, 1]]
 * ```
 */
export const expandDims: Op<(x: Tensor, axis: number) => Tensor> = op(
  {
    name: "expandDims",
    composite: true,
    samples: [
      { label: "[2,3]", inputs: [{ shape: [2, 3] }], call: ([x]) => expandDims(x!, 1) },
      { label: "at the end", inputs: [{ shape: [2, 3] }], call: ([x]) => expandDims(x!, -1) },
    ],
  },
  (x: Tensor, axis: number) =>
    reshape(x, x.shape.toSpliced(normalizeAxis(axis, x.rank + 1, "expandDims"), 0, 1)),
  1,
);

const transposeDeclaration: OpDeclaration<readonly number[]> = {
  name: "transpose",
  inputs: ["x"],
  accepts: "any",
  shape: ([x], axes) => axes.map((axis) => x!.shape[axis]!),
  forward(backend, [x], y, axes) {
    const strides = stridesOf(x!.shape);
    const permuted = axes.map((axis) => strides[axis]!);
    copyStrided(backend, y.dtype, y.shape, x!.pointer, permuted, y.pointer, stridesOf(y.shape));
  },
  residuals: { inputs: [], output: false },
  vjp: [
    (g, { attributes: axes }) =>
      transpose(
        g,
        axes.map((_, i) => axes.indexOf(i)),
      ),
  ],
  jvp: "linear",
  samples: [
    { label: "[2,3]", inputs: [{ shape: [2, 3] }], call: ([x]) => transpose(x!) },
    {
      label: "[2,3,4]",
      inputs: [{ shape: [2, 3, 4] }],
      call: ([x]) => transpose(x!, [1, 0, 2]),
    },
    {
      label: "[2,3,2,2]",
      inputs: [{ shape: [2, 3, 2, 2] }],
      call: ([x]) => transpose(x!, [3, 0, -2, 1]),
    },
  ],
};

/**
 * The axes in another order: axis `i` of the result is axis `axes[i]` of `x`; reversed unless
 * given.
 *
 * @throws unless `axes` names every axis once
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@chronograd/autodiff";
 *
 * tensor([[1, 2, 3]]).transpose().toArray(); // => [[1], [2], [3]]
 * ones([5, 2, 3]).transpose([1, 0, 2]).shape; // => [2, 5, 3]
 * ```
 */
export const transpose: Op<(x: Tensor, axes?: readonly number[]) => Tensor> = op(
  transposeDeclaration,
  (x: Tensor, axes: readonly number[] = x.shape.map((_, i) => x.rank - 1 - i)) => {
    checkList(axes, "transpose", "axes");
    const order = axes.map((axis) => normalizeAxis(axis, x.rank, "transpose"));
    if (new Set(order).size !== x.rank || order.length !== x.rank) {
      throw new RangeError(
        `transpose: axes ${format(axes)} must name each of the ${x.rank} axes of ${format(x.shape)} once`,
      );
    }
    return order.every((axis, i) => axis === i) ? x : apply(transposeDeclaration, [x], order);
  },
  1,
);

const broadcastToDeclaration: OpDeclaration<Shape> = {
  name: "broadcastTo",
  inputs: ["x"],
  accepts: "any",
  shape: ([x], shape) => {
    if (broadcastsTo(x!.shape, shape)) return shape;
    throw new RangeError(
      `broadcastTo: ${format(x!.shape)} does not broadcast to ${format(shape)}; lengths must match from the right or be 1`,
    );
  },
  forward(backend, [x], y) {
    const from = broadcastStrides(x!.shape, y.shape);
    copyStrided(backend, y.dtype, y.shape, x!.pointer, from, y.pointer, stridesOf(y.shape));
  },
  residuals: { inputs: [], output: false },
  vjp: [(g, { inputs: [x] }) => sumTo(g, x!.shape)],
  jvp: "linear",
  samples: [
    { label: "[3] to [2,3]", inputs: [{ shape: [3] }], call: ([x]) => broadcastTo(x!, [2, 3]) },
    {
      label: "[2,1] to [4,2,3]",
      inputs: [{ shape: [2, 1] }],
      call: ([x]) => broadcastTo(x!, [4, 2, 3]),
    },
    { label: "[] to [2]", inputs: [{ shape: [] }], call: ([x]) => broadcastTo(x!, [2]) },
  ],
};

/**
 * `x` repeated along axes of length 1 and new leading axes until it has `shape`.
 *
 * @throws when it does not broadcast to that shape
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([1, 2]).broadcastTo([2, 2]).toArray(); // => [[1, 2], [1, 2]]
 * ```
 */
export const broadcastTo: Op<(x: Tensor, shape: Shape) => Tensor> = op(
  broadcastToDeclaration,
  (x: Tensor, shape: Shape) => {
    checkShape(shape, "broadcastTo");
    return sameShape(x.shape, shape) ? x : apply(broadcastToDeclaration, [x], [...shape]);
  },
  1,
);
