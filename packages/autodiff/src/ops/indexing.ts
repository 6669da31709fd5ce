import { format, normalizeAxis, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { checkBatchDims, type GatherOptions, inverse, unbatched } from "./batched.ts";
import { clone } from "./cast.ts";
import { type Op, op } from "./declare.ts";
import { checkRange, countedFromEnd, type Indices } from "./indices.ts";
import { gatherDeclaration, type Lookup, scatterDeclaration } from "./lookup.ts";
import { reshape, transpose } from "./shape.ts";

/**
 * `x` at `indices` along an axis (0 unless given); the axis becomes the indices' axes. Indices
 * below 0 count from the end, as in NumPy. With `batchDims` the first axes of `x` and of `indices`
 * are a batch: each member is looked up in its own part.
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

/**
 * `x` with `g` added at `indices` along an axis (0 unless given); values for the same place are
 * added up. Indices below 0 count from the end; with `batchDims` the first axes of `x`, `indices`
 * and `g` are a batch.
 *
 * @throws when `g`'s shape is not that of `gather(x, indices, axis, options)`, or an index is out
 *   of range
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
