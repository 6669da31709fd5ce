import type { MapTree, Tensor } from "@chronograd/autodiff";
import { kernelsOf } from "@chronograd/autodiff/extend";
import {
  consume,
  donate,
  isTracing,
  isUniquelyHeld,
  moveOutOfWindow,
} from "@chronograd/autodiff/internal";
import { checkArguments } from "./consumeState.ts";
import { homeOf } from "./finite.ts";
import { leavesOf, refilled } from "./leaves.ts";

/**
 * Parameters plus updates: what comes last in every training step.
 *
 * It consumes `params`: their memory goes back as soon as no tape needs them, a stream of windows
 * goes on with the result, and touching them again throws; pass `clone`s to keep the old values.
 * Values that a tape tracks are added and not consumed. int32 tensors, and whatever is not a
 * tensor, are passed on as they are. Nothing is changed when it throws.
 *
 * @param params a tree of tensors
 * @param updates a tree of the same structure and shapes, which may live as shortly as a window
 * @throws when the trees differ in structure, a shape or a dtype; when a tensor stands at two
 *   places
 *
 * @example
 * ```ts
 * import { type Tensor, tensor, tree } from "@chronograd/autodiff";
 * import { applyUpdates } from "@chronograd/nn";
 *
 * const gradients = { w: tensor([1, 2]) };
 * const descent = tree.map(gradients, (g: Tensor) => g.mul(-0.5));
 * applyUpdates({ w: tensor([1, 1]) }, descent).w.toArray(); // => [0.5, 0]
 * ```
 */
export function applyUpdates<P>(params: P, updates: MapTree<P, Tensor>): MapTree<P, Tensor> {
  const where = "applyUpdates";
  const leaves = leavesOf({ params, gradients: updates, moments: {} }, where, "update");
  if (isTracing()) {
    checkArguments(
      leaves.map(({ w }) => w),
      "the parameters",
      where,
    );
  }
  if (leaves.some(({ w, g }) => w.tape !== null || g.tape !== null)) {
    const sums = leaves.map(({ w, g }) => w.add(g));
    return refilled(params, sums, params) as MapTree<P, Tensor>;
  }
  const own = new Set(leaves.map(({ w }) => w.block));
  const isApart = leaves.every(({ g }) => !own.has(g.block));
  const next = leaves.map(({ w, g }) => {
    if (isApart && isUniquelyHeld(w)) return addedInPlace(w, g);
    const sum = w.add(g);
    moveOutOfWindow(sum);
    return sum;
  });
  leaves.forEach(({ w }, i) => {
    if (w.successor === null) consume(w, next[i]!, where);
  });
  return refilled(params, next, params) as MapTree<P, Tensor>;
}

/** `w + g` in the bytes of `w`, which nobody else needs. */
function addedInPlace(w: Tensor, g: Tensor): Tensor {
  const home = homeOf([w, g])!;
  const { size } = w;
  const next = donate(w, "applyUpdates");
  kernelsOf(home, next).add(1, size, next.pointer, size, 1, g.pointer, size, 1, next.pointer);
  return next;
}
