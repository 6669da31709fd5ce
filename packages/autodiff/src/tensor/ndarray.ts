import ndarray, { type NdArray } from "ndarray";
import { checkAlive } from "./checks.ts";
import { bytesOf, checkInt32, type TypedArray } from "./dtype.ts";
import { Tensor } from "./tensor.ts";

/** An ndarray over a tensor's own bytes. */
export type LiveNdArray = NdArray<{
  get(index: number): number;
  set(index: number, value: number): number;
  length: number;
}>;

/**
 * A copy of a tensor's elements as an ndarray of the same shape. `tensor` takes it back.
 *
 * @throws when `x` is no tensor, or is gone
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { toNdarray } from "@chronograd/autodiff/ndarray";
 *
 * const x = toNdarray(tensor([[1, 2, 3], [4, 5, 6]]));
 * x.get(1, 0); // => 4
 * tensor(x.transpose(1, 0)).toArray(); // => [[1, 4], [2, 5], [3, 6]]
 * ```
 */
export function toNdarray(x: Tensor): NdArray<TypedArray> {
  check(x, "toNdarray");
  return ndarray(x.toTypedArray(), [...x.shape]);
}

/**
 * An ndarray of a tensor's shape that reads and writes its elements in place, through `get` and
 * `set`.
 *
 * Values may share bytes: a view with its source, the gradients of `a` and `b` in `a.add(b)` with
 * each other; write to a `clone()` where that matters. Taking one counts as a change: a later sweep
 * over a tape that needs the value as it was throws.
 *
 * @throws when `x` is no tensor, or is gone, also later on; and for a number that int32 does not
 *   hold where `x` is of that
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { liveView } from "@chronograd/autodiff/ndarray";
 *
 * const x = tensor([1, 2, 3]);
 * liveView(x).set(1, 20);
 * x.toArray(); // => [1, 20, 3]
 * ```
 */
export function liveView(x: Tensor): LiveNdArray {
  check(x, "liveView");
  x.block.version++;
  const at = (index: number) => {
    checkAlive(x, "liveView");
    return x.pointer / bytesOf[x.dtype] + index;
  };
  const store = {
    length: x.size,
    get: (index: number) => x.backend.memory.views[x.dtype][at(index)]!,
    set: (index: number, value: number) => {
      if (x.dtype === "int32") checkInt32([value], "liveView");
      x.block.version++;
      x.backend.memory.views[x.dtype][at(index)] = value;
      return value;
    },
  };
  return ndarray(store, [...x.shape]) as LiveNdArray;
}

function check(x: Tensor, where: string): void {
  if (!(x instanceof Tensor)) {
    throw new TypeError(
      `${where}: expected a tensor, got ${x === null ? "null" : typeof x}; make one with tensor(...)`,
    );
  }
  checkAlive(x, where);
}
