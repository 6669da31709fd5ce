import { type MapTree, tree } from "@chronograd/autodiff";
import { checkNumber } from "../checks.ts";
import { transformation } from "./consumeState.ts";
import type { GradientTransformation } from "./transformation.ts";

/**
 * Updates plus `weightDecay w`. Before a rule it is a penalty in the gradient, after it (and before
 * the rate) decay beside the gradient.
 *
 * @throws for a number below 0
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { addDecayedWeights } from "@chronograd/nn";
 *
 * const [update] = addDecayedWeights(0.5).update(tensor([1, 1]), {}, tensor([2, 4]));
 * update.toArray(); // => [2, 3]
 * ```
 */
export function addDecayedWeights(
  weightDecay: number,
): GradientTransformation<Record<never, never>> {
  checkNumber(weightDecay, "weightDecay", "addDecayedWeights");
  return transformation<Record<never, never>>("addDecayedWeights", {
    init: () => ({}),
    step: (updates, state, params) => [
      tree.zip(updates, params, (g, w) =>
        g.dtype === "int32" ? g : g.add(w.mul(weightDecay)),
      ) as MapTree<typeof updates, never>,
      state,
    ],
  });
}
