import { checkOptions } from "../tensor/options.ts";
import { arange } from "../tensor/sequences.ts";
import { format, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { reshape, transpose } from "./shape.ts";

/** How `gather` and `scatterAdd` take `indices`. */
export interface GatherOptions {
  /** How many leading axes `x` and `indices` share, each with its own indices; 0 unless given. */
  readonly batchDims?: number;
}

/**
 * A lookup in a batch as one without: rows `[batch * length, ...]`, and where in them the indices
 * are.
 */
interface Unbatched {
  readonly rows: Tensor;
  readonly positions: Tensor;
  /**
   * The axes of `x` with the one looked up behind the batch, and those of the result in the order
   * of a gather.
   */
  readonly order: readonly number[];
  readonly resultOrder: readonly number[];
}

/** @internal */
export function unbatched(
  x: Tensor,
  indices: Tensor,
  axis: number,
  batchDims: number,
  name: string,
): Unbatched {
  const batch = x.shape.slice(0, batchDims);
  if (!sameShape(batch, indices.shape.slice(0, batchDims)) || axis < batchDims) {
    throw new RangeError(
      `${name}: with batchDims ${batchDims} the first ${batchDims} axes of x and indices must agree and come before axis ${axis}, got ${format(x.shape)} and ${format(indices.shape)}`,
    );
  }
  const length = x.shape[axis]!;
  const order = x.shape.map((_, i) => i);
  order.splice(batchDims, 0, ...order.splice(axis, 1));
  const picked = indices.rank - batchDims;
  const resultOrder = Array.from({ length: x.rank - 1 + picked }, (_, i) => i);
  resultOrder.splice(axis, 0, ...resultOrder.splice(batchDims, picked));
  const moved = transpose(x, order);
  const count = sizeOf(batch);
  const starts = arange(0, count, 1, { dtype: "int32", backend: x.backend }).mul(length);
  return {
    rows: reshape(moved, [count * length, ...moved.shape.slice(batchDims + 1)]),
    positions: indices.add(reshape(starts, [...batch, ...Array<number>(picked).fill(1)])),
    order,
    resultOrder,
  };
}

/** The permutation that undoes one. @internal */
export function inverse(order: readonly number[]): number[] {
  return order.map((_, i) => order.indexOf(i));
}

/** The option, or a thrown sentence. @internal */
export function checkBatchDims(
  options: GatherOptions | undefined,
  x: Tensor,
  name: string,
): number {
  checkOptions(name, options, ["batchDims"]);
  const { batchDims = 0 } = options ?? {};
  if (Number.isInteger(batchDims) && batchDims >= 0 && batchDims < Math.max(1, x.rank)) {
    return batchDims;
  }
  throw new RangeError(
    `${name}: batchDims must be a whole number from 0 to ${x.rank - 1} for x ${format(x.shape)}, got ${batchDims}`,
  );
}
