import { bytesOf } from "../tensor/dtype.ts";
import { format, normalizeAxis, type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { checkBatchDims, type GatherOptions, inverse, unbatched } from "./batched.ts";
import { clone } from "./cast.ts";
import { none, type Op, type OpDeclaration, op } from "./declare.ts";
import { asIndices, checkRange, countedFromEnd, type Indices } from "./indices.ts";
import { arithmeticOf } from "./kernels.ts";
import { reshape, transpose } from "./shape.ts";
import { moveKernels } from "./strided.ts";

const noGradient = none("indices are integers: nothing flows through");

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

/** Lengths before, along and after an axis. */
function around(shape: Shape, axis: number): [outer: number, length: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
}

/** Along which axis, and whether the indices are in range by construction. */
interface Lookup {
  readonly axis: number;
  readonly trusted?: true;
}

const gatherDeclaration: OpDeclaration<Lookup> = {
  name: "gather",
  inputs: ["x", "indices"],
  accepts: valuesAndIndices(1),
  shape([x, indices], { axis, trusted }) {
    if (trusted !== true) checkRange(indices!, x!.shape[axis]!, "gather");
    return x!.shape.toSpliced(axis, 1, ...indices!.shape);
  },
  forward(backend, [x, indices], y, { axis }) {
    const [outer, length, inner] = around(x!.shape, axis);
    const { gather: kernel } = moveKernels(backend, y.dtype);
    const bytes = bytesOf[y.dtype] * inner;
    for (let i = 0; i < outer; i++) {
      const from = x!.pointer + i * length * bytes;
      kernel(indices!.size, inner, from, indices!.pointer, y.pointer + i * indices!.size * bytes);
    }
  },
  residuals: { inputs: [1], output: false },
  vjp: [
    (g, { inputs: [x, indices], attributes }) =>
      apply(scatterDeclaration, [g, indices!], { ...attributes, shape: x!.shape }),
    noGradient,
  ],
  accumulate: [
    (g, { inputs: [, indices], attributes: { axis } }, into) => addRows(g, indices!, into, axis),
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
    {
      label: "of a batch, along axis 2",
      inputs: [{ shape: [2, 3, 4] }, { shape: [2, 5], integers: [0, 4] }],
      call: ([x, i]) => gather(x!, i!, 2, { batchDims: 1 }),
    },
  ],
};

/** Rows of `table` at indices from 0 up, none of which counts from the end: what an embedding looks up. */
export function lookUp(table: Tensor, indices: Indices): Tensor {
  return apply(gatherDeclaration, [table, asIndices(indices, table, "gather")], { axis: 0 });
}

/** `gather` from the flattened `x`, at positions that are in range by construction. @internal */
export function gatherFlat(x: Tensor, positions: Tensor): Tensor {
  return apply(gatherDeclaration, [reshape(x, [-1]), positions], { axis: 0, trusted: true });
}

/**
 * `x` at `indices` along an axis (0 unless given); the axis becomes the indices' axes. Indices below 0 count from the end, as
 * in NumPy. With `batchDims` the first axes of `x` and of `indices` are a batch: each member is looked up in its own part.
 *
 * @throws when an index is out of range, not whole, or not int32
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * const table = tensor([[0, 0], [1, 10], [2, 20]]);
 * table.gather([2, 1, -1]).toArray(); // => [[2, 20], [1, 10], [2, 20]]
 * // What was looked up twice gets both cotangents.
 * const slope = grad((x) => x.gather([2, 1, 2]).sum());
 * slope(table).toArray(); // => [[0, 0], [1, 1], [2, 2]]
 * // One element of each row.
 * table.gather([[1], [0], [1]], 1, { batchDims: 1 }).toArray(); // => [[0], [1], [20]]
 * ```
 */
export const gather: Op<
  (x: Tensor, indices: Indices, axis?: number, options?: GatherOptions) => Tensor
> = op(
  gatherDeclaration,
  (x: Tensor, indices: Indices, axis = 0, options?: GatherOptions) => {
    const at = normalizeAxis(axis, x.rank, "gather");
    const batchDims = checkBatchDims(options, x, "gather");
    const whole = countedFromEnd(indices, x, x.shape[at]!, "gather");
    if (batchDims === 0) return apply(gatherDeclaration, [x, whole], { axis: at });
    checkRange(whole, x.shape[at]!, "gather");
    const { rows, positions, resultOrder } = unbatched(x, whole, at, batchDims, "gather");
    const lookup: Lookup = { axis: 0, trusted: true };
    return transpose(apply(gatherDeclaration, [rows, positions], lookup), resultOrder);
  },
  1,
);

/** `into[..., indices[i], ...] += g[..., i, ...]` along an axis. */
function addRows(g: Tensor, indices: Tensor, into: Tensor, axis: number): void {
  const [outer, length, inner] = around(into.shape, axis);
  const { scatterAdd: kernel } = arithmeticOf(into.block.backend, into);
  const bytes = bytesOf[into.dtype] * inner;
  for (let i = 0; i < outer; i++) {
    const from = g.pointer + i * indices.size * bytes;
    kernel(indices.size, inner, from, indices.pointer, into.pointer + i * length * bytes);
  }
}

const scatterDeclaration: OpDeclaration<Lookup & { readonly shape: Shape }> = {
  name: "scatter",
  inputs: ["g", "indices"],
  accepts: valuesAndIndices(1),
  shape([, indices], { axis, shape, trusted }) {
    if (trusted !== true) checkRange(indices!, shape[axis]!, "scatterAdd");
    return shape;
  },
  forward(backend, [g, indices], y, { axis }) {
    arithmeticOf(backend, y).fill(y.size, 0, y.pointer);
    addRows(g!, indices!, y, axis);
  },
  residuals: { inputs: [1], output: false },
  vjp: [
    (g, { inputs: [, indices], attributes: { axis, trusted } }) =>
      apply(gatherDeclaration, [g, indices!], { axis, ...(trusted && { trusted }) }),
    noGradient,
  ],
  jvp: ([dg], { inputs: [, indices], attributes }) =>
    apply(scatterDeclaration, [dg!, indices!], attributes),
  samples: [],
};

/**
 * `x` with `g` added at `indices` along an axis (0 unless given); what meets at one place adds up. Indices below 0 count from
 * the end; with `batchDims` the first axes of `x`, `indices` and `g` are a batch.
 *
 * @throws when `g`'s shape is not that of `gather(x, indices, axis, options)`, or an index is out of range
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@chronograd/autodiff";
 *
 * const g = tensor([1, 10, 100]);
 * zeros([3]).scatterAdd([2, 0, -1], g).toArray(); // => [10, 0, 101]
 * ```
 */
export const scatterAdd: Op<
  (x: Tensor, indices: Indices, g: Tensor, axis?: number, options?: GatherOptions) => Tensor
> = op(
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
      {
        label: "of a batch, along axis 2",
        inputs: [{ shape: [2, 3, 4] }, { shape: [2, 5], integers: [0, 4] }, { shape: [2, 3, 5] }],
        call: ([x, i, g]) => scatterAdd(x!, i!, g!, 2, { batchDims: 1 }),
      },
    ],
  },
  (x: Tensor, indices: Indices, g: Tensor, axis = 0, options?: GatherOptions) => {
    const at = normalizeAxis(axis, x.rank, "scatterAdd");
    const batchDims = checkBatchDims(options, x, "scatterAdd");
    const whole = countedFromEnd(indices, x, x.shape[at]!, "scatterAdd");
    const expected = x.shape.toSpliced(at, 1, ...whole.shape.slice(batchDims));
    if (!sameShape(g.shape, expected)) {
      throw new RangeError(
        `scatterAdd: g must have shape ${format(expected)} for x ${format(x.shape)} and indices ${format(whole.shape)} along axis ${at}, got ${format(g.shape)}`,
      );
    }
    if (whole.size === 0) return clone(x);
    if (batchDims === 0) {
      return x.add(apply(scatterDeclaration, [g, whole], { axis: at, shape: x.shape }));
    }
    checkRange(whole, x.shape[at]!, "scatterAdd");
    const { rows, positions, order, resultOrder } = unbatched(
      x,
      whole,
      at,
      batchDims,
      "scatterAdd",
    );
    const sum = apply(scatterDeclaration, [transpose(g, inverse(resultOrder)), positions], {
      axis: 0,
      shape: rows.shape,
      trusted: true,
    });
    const moved = reshape(
      sum,
      order.map((i) => x.shape[i]!),
    );
    return x.add(transpose(moved, inverse(order)));
  },
  1,
);
