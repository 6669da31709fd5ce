import { Tape } from "../tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type MapTree, map } from "../tensor/tree.ts";
import { pushForward, tangentsBySlot } from "./forward.ts";

/**
 * The value of `f` at `x`, and the function that takes a direction `dx` to the derivative of `f` in
 * it. That function may be called any number of times, as long as the scope around this call lasts.
 *
 * @param f takes a tree of tensors to a tree of tensors
 * @throws when a direction has not the structure, shapes and dtypes of `x`
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
  const tape = new Tape();
  const watched = tape.watch(x);
  const value = f(watched);
  const push = (dx: MapTree<T, Tensor>) =>
    pushForward(tape, tangentsBySlot(watched, dx, "linearize"), value);
  return [map(value, (y: Tensor) => tape.strip(y)), push];
}
