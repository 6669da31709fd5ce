import { describe } from "../ops/declare.ts";
import { Tape } from "../tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkTree, type MapTree, map } from "../tensor/tree.ts";
import { pushForward, tangentsBySlot } from "./forward.ts";

/**
 * The value of `f` at `x`, and the function that takes a direction `dx` to the derivative of `f` in
 * it. That function may be called any number of times, as long as the scope around this call lasts.
 *
 * @param f takes a tree of tensors to a tree of tensors
 * @throws when `f` does not return a tree of tensors, a direction has not the structure, shapes and
 *   dtypes of `x`, or the scope has ended
 *
 * @example
 * ```ts
 * import { linearize, tensor } from "@chronograd/autodiff";
 *
 * const [y, push] = linearize((x) => x.square(), tensor([1, 2]));
 * y.toArray(); // => [1, 4]
 * [push(tensor([1, 0])).toArray(), push(tensor([0, 10])).toArray()]; // => [[2, 0], [0, 40]]
 * ```
 */
export function linearize<T, Y>(
  f: (x: MapTree<T, Tensor>) => Y,
  x: T,
): [value: MapTree<Y, Tensor>, push: (dx: MapTree<T, Tensor>) => MapTree<Y, Tensor>] {
  if (typeof f !== "function") {
    throw new TypeError(`linearize: expected a function of tensors, got ${describe(f)}`);
  }
  const tape = new Tape();
  const watched = tape.watch(x);
  const value = f(watched);
  checkTree(value, "linearize: f");
  const push = (dx: MapTree<T, Tensor>) => {
    tape.checkOpen("linearize");
    return pushForward(tape, tangentsBySlot(watched, dx, "linearize"), value);
  };
  return [map(value, (y: Tensor) => tape.strip(y)), push];
}
