import { checkAlive } from "../tensor/checks.ts";
import { type TensorSource, tensorOf } from "../tensor/create.ts";
import { Tensor } from "../tensor/tensor.ts";
import { describeType } from "../tensor/text.ts";
import { mod } from "./arithmetic.ts";

/** Whole numbers that pick elements: an int32 tensor, or numbers in arrays, nested or typed. */
export type Indices = TensorSource;

/** Indices as an int32 tensor; throws for anything but whole numbers. @internal */
export function asIndices(indices: Indices, beside: Tensor, name: string): Tensor {
  if (!(indices instanceof Tensor)) {
    return tensorOf(name, indices, { dtype: "int32", backend: beside.backend });
  }
  if (indices.dtype === "int32") return indices;
  throw new TypeError(
    `${name}: indices must be int32, got ${describeType(indices)}; convert them with cast(indices, "int32")`,
  );
}

/** The position of the first index outside `low..high-1`, or -1. */
function firstOutside({ block, size, pointer }: Tensor, low: number, high: number): number {
  // In an empty range there is no index that the kernel could except.
  if (low >= high) return size > 0 ? 0 : -1;
  return block.backend.kernels.firstOutOfRange(size, pointer, low, high, low);
}

/** Throws, naming the first one, when an index lies outside `low..length-1`. @internal */
export function checkRange(indices: Tensor, length: number, name: string, low = 0): void {
  checkAlive(indices, `${name}: indices`);
  const at = firstOutside(indices, low, length);
  if (at < 0) return;
  const value = indices.block.backend.memory.views.int32[indices.pointer / 4 + at];
  const expected = length === 0 ? "there is none" : `expected ${low} to ${length - 1}`;
  throw new RangeError(
    `${name}: index ${value} at position ${at} is out of range for an axis of length ${length}; ${expected}`,
  );
}

/**
 * Indices as an int32 tensor, those below 0 counted from the end as in NumPy; throws for others
 * that are out of range. In a traced program there are no values to look at: the op itself checks
 * that all lie in 0 to `length - 1`. @internal
 */
export function countedFromEnd(
  given: Indices,
  beside: Tensor,
  length: number,
  name: string,
): Tensor {
  const indices = asIndices(given, beside, name);
  checkAlive(indices, `${name}: indices`);
  if (indices.block.backend.parent !== null || firstOutside(indices, 0, length) < 0) return indices;
  checkRange(indices, length, name, -length);
  return mod(indices, length);
}
