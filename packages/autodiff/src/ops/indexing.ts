import { tensor } from "../tensor/doors.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { format, normalizeAxis, type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { clone } from "./cast.ts";
import { none, type Op, type OpDeclaration, op } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import { moveKernels } from "./strided.ts";

/** Whole numbers that pick elements: an int32 tensor, or plain numbers. */
export type Indices = Tensor | readonly number[] | Int32Array;

const noGradient = none("indices are integers: nothing flows through");

function asIndices(indices: Indices, beside: Tensor, name: string): Tensor {
  const result =
    indices instanceof Tensor
      ? indices
      : tensor(indices, { dtype: "int32", backend: beside.backend });
  if (result.dtype !== "int32") {
    throw new TypeError(
      `${name}: indices must be int32, got ${result.dtype} ${format(result.shape)}; convert them with cast(indices, "int32")`,
    );
  }
  return result;
}

/** Inputs of an op on values and indices: the one carries the dtype, the other is int32. */
function valuesAndIndices(at: number) {
  return (inputs: readonly Tensor[], name: string): void => {
    const values = inputs.filter((_, i) => i !== at);
    for (const x of values) {
      if (x.dtype !== values[0]!.dtype) {
        throw new TypeError(
          `${name}: values must share a dtype, got ${values[0]!.dtype} and ${x.dtype}`,
        );
      }
    }
  };
}

/** Throws, naming the first one, when an index lies outside an axis. */
function checkRange(indices: Tensor, length: number, name: string): void {
  const { kernels, memory } = indices.block.backend;
  const at = kernels.firstOutOfRange(indices.size, indices.pointer, 0, length, 0);
  if (at >= 0) {
    const value = memory.views.int32[indices.pointer / 4 + at];
    throw new RangeError(
      `${name}: index ${value} at position ${at} is out of range for an axis of length ${length}; expected 0 to ${length - 1}`,
    );
  }
}

/** Lengths before, along and after an axis. */
function around(shape: Shape, axis: number): [outer: number, length: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
}

const gatherDeclaration: OpDeclaration<number> = {
  name: "gather",
  inputs: ["x", "indices"],
  accepts: valuesAndIndices(1),
  shape([x, indices], axis) {
    checkRange(indices!, x!.shape[axis]!, "gather");
    return x!.shape.toSpliced(axis, 1, ...indices!.shape);
  },
  forward(backend, [x, indices], y, axis) {
    const [outer, length, inner] = around(x!.shape, axis);
    const { gather: kernel } = moveKernels(backend, y.dtype);
    const bytes = bytesOf[y.dtype] * inner;
    for (let i = 0; i < outer; i++) {
      const from = x!.pointer + i * length * bytes;
      kernel(indices!.size, inner, from, indices!.pointer, y.pointer + i * indices!.size * bytes);
    }
  },
  keeps: { inputs: [1], output: false },
  vjp: [
    (g, { inputs: [x, indices], attributes: axis }) =>
      apply(scatterDeclaration, [g, indices!], { axis, shape: x!.shape }),
    noGradient,
  ],
  accumulate: [
    (g, { inputs: [, indices], attributes: axis }, into) => addRows(g, indices!, into, axis),
  ],
  jvp: ([dx], { inputs: [, indices], attributes }) =>
    apply(gatherDeclaration, [dx!, indices!], attributes),
  samples: [
    {
      label: "rows",
      inputs: [{ shape: [4, 3] }, { shape: [5], integers: [0, 4] }],
      call: ([x, i]) => gather(x!, i!),
    },
    {
      label: "columns, indices [2,2]",
      inputs: [{ shape: [2, 3] }, { shape: [2, 2], integers: [0, 3] }],
      call: ([x, i]) => gather(x!, i!, 1),
    },
  ],
};

/**
 * `x` at `indices` along an axis (0 unless given); the axis becomes the indices' axes. Rows of an embedding.
 *
 * @throws when an index is out of range or not int32
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * const table = tensor([[0, 0], [1, 10], [2, 20]]);
 * table.gather([2, 1, 2]).toArray(); // => [[2, 20], [1, 10], [2, 20]]
 * // What was looked up twice gets both cotangents.
 * const slope = grad((x) => x.gather([2, 1, 2]).sum());
 * slope(table).toArray(); // => [[0, 0], [1, 1], [2, 2]]
 * ```
 */
export const gather: Op<(x: Tensor, indices: Indices, axis?: number) => Tensor> = op(
  gatherDeclaration,
  (x: Tensor, indices: Indices, axis = 0) =>
    apply(
      gatherDeclaration,
      [x, asIndices(indices, x, "gather")],
      normalizeAxis(axis, x.rank, "gather"),
    ),
  1,
);

/** `into[..., indices[i], ...] += g[..., i, ...]` along an axis. */
function addRows(g: Tensor, indices: Tensor, into: Tensor, axis: number): void {
  const [outer, length, inner] = around(into.shape, axis);
  const { scatterAdd: kernel } = kernelsOf(into.block.backend, into);
  const bytes = bytesOf[into.dtype] * inner;
  for (let i = 0; i < outer; i++) {
    const from = g.pointer + i * indices.size * bytes;
    kernel(indices.size, inner, from, indices.pointer, into.pointer + i * length * bytes);
  }
}

const scatterDeclaration: OpDeclaration<{ axis: number; shape: Shape }> = {
  name: "scatter",
  inputs: ["g", "indices"],
  accepts: valuesAndIndices(1),
  shape([, indices], { axis, shape }) {
    checkRange(indices!, shape[axis]!, "scatterAdd");
    return shape;
  },
  forward(backend, [g, indices], y, { axis }) {
    kernelsOf(backend, y).fill(y.size, 0, y.pointer);
    addRows(g!, indices!, y, axis);
  },
  keeps: { inputs: [1], output: false },
  vjp: [
    (g, { inputs: [, indices], attributes: { axis } }) =>
      apply(gatherDeclaration, [g, indices!], axis),
    noGradient,
  ],
  jvp: ([dg], { inputs: [, indices], attributes }) =>
    apply(scatterDeclaration, [dg!, indices!], attributes),
  samples: [],
};

/**
 * `x` with `g` added at `indices` along an axis (0 unless given); what meets at one place adds up.
 *
 * @throws when `g`'s shape is not that of `gather(x, indices, axis)`, or an index is out of range
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@chronograd/autodiff";
 *
 * const g = tensor([1, 10, 100]);
 * zeros([3]).scatterAdd([2, 0, 2], g).toArray(); // => [10, 0, 101]
 * ```
 */
export const scatterAdd: Op<(x: Tensor, indices: Indices, g: Tensor, axis?: number) => Tensor> = op(
  {
    name: "scatterAdd",
    composite: true,
    samples: [
      {
        label: "rows",
        inputs: [{ shape: [4, 2] }, { shape: [5], integers: [0, 4] }, { shape: [5, 2] }],
        call: ([x, i, g]) => scatterAdd(x!, i!, g!),
      },
      {
        label: "columns",
        inputs: [{ shape: [2, 3] }, { shape: [4], integers: [0, 3] }, { shape: [2, 4] }],
        call: ([x, i, g]) => scatterAdd(x!, i!, g!, 1),
      },
    ],
  },
  (x: Tensor, indices: Indices, g: Tensor, axis = 0) => {
    const at = normalizeAxis(axis, x.rank, "scatterAdd");
    const positions = asIndices(indices, x, "scatterAdd");
    const expected = x.shape.toSpliced(at, 1, ...positions.shape);
    if (!sameShape(g.shape, expected)) {
      throw new RangeError(
        `scatterAdd: g must have shape ${format(expected)} for x ${format(x.shape)} and indices ${format(positions.shape)} along axis ${at}, got ${format(g.shape)}`,
      );
    }
    if (positions.size === 0) return clone(x);
    return x.add(apply(scatterDeclaration, [g, positions], { axis: at, shape: x.shape }));
  },
  1,
);

const oneHotDeclaration: OpDeclaration<{ depth: number; dtype: "float32" | "float64" }> = {
  name: "oneHot",
  inputs: ["indices"],
  accepts: "any",
  shape: ([indices], { depth }) => [...indices!.shape, depth],
  dtype: (_inputs, { dtype }) => dtype,
  forward(backend, [indices], y, { depth }) {
    kernelsOf(backend, y).oneHot(indices!.size, depth, indices!.pointer, y.pointer);
  },
  keeps: { inputs: [], output: false },
  vjp: noGradient,
  jvp: noGradient,
  samples: [
    {
      label: "[4] of 3",
      inputs: [{ shape: [4], integers: [0, 3] }],
      call: ([i]) => oneHot(i!, 3),
    },
  ],
};

/**
 * A row of `depth` elements per index: 1 at the index, 0 elsewhere; all 0 for an index out of range.
 *
 * @throws when the indices are not int32 or `depth` is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor(Int32Array.of(2, 0)).oneHot(3).toArray(); // => [[0, 0, 1], [1, 0, 0]]
 * ```
 */
export const oneHot: Op<
  (indices: Tensor, depth: number, options?: { dtype?: "float32" | "float64" }) => Tensor
> = op(
  oneHotDeclaration,
  (indices: Tensor, depth: number, { dtype = "float32" } = {}) => {
    if (!Number.isInteger(depth) || depth < 1) {
      throw new RangeError(`oneHot: depth must be a whole number of at least 1, got ${depth}`);
    }
    return apply(oneHotDeclaration, [asIndices(indices, indices, "oneHot")], { depth, dtype });
  },
  1,
);
