import { type MapTree, type Tensor, tree } from "@chronograd/autodiff";
import { shown } from "../checks.ts";
import { transformation } from "./consumeState.ts";
import type { GradientTransformation } from "./transformation.ts";

/**
 * Updates times a number: `scale(-0.1)` is plain gradient descent at a rate of 0.1. It remembers
 * nothing.
 *
 * @throws unless the number is finite
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { scale } from "@chronograd/nn";
 *
 * const [update] = scale(-0.5).update(tensor([2, 4]), {}, tensor([0, 0]));
 * update.toArray(); // => [-1, -2]
 * ```
 */
export function scale(factor: number): GradientTransformation<Record<never, never>> {
  if (!Number.isFinite(factor)) {
    throw new RangeError(`scale: expected a finite number, got ${shown(factor)}`);
  }
  return transformation<Record<never, never>>("scale", {
    init: () => ({}),
    step: (updates, state) => [scaledBy(updates, factor), state],
  });
}

/** Float tensors times a number or a float64 scalar. */
export function scaledBy<G>(updates: G, factor: number | Tensor): MapTree<G, Tensor> {
  return tree.map(updates, (x: Tensor) => {
    if (x.dtype === "int32") return x;
    return x.mul(typeof factor === "number" ? factor : factor.cast(x.dtype));
  });
}
