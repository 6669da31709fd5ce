import { where } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkLimit } from "../checks.ts";
import type { GradientTransformation } from "../optim/transformation.ts";
import { type ClipState, clipping } from "./clipping.ts";
import type { NonFiniteOption } from "./nonFinite.ts";
import { normOf } from "./norm.ts";

/**
 * Limits every element of every gradient to between `-limit` and `limit` (Mikolov 2012, Statistical
 * language models based on neural networks). The direction changes. The
 * norm before clipping stands in the state.
 *
 * @param limit above 0
 * @throws for a limit that is not above 0; `update` throws when a gradient is NaN or infinite (see
 *   `nonFinite`)
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { clipByValue } from "@chronograd/nn";
 *
 * const gradients = { W: tensor([3, -0.5]) };
 * const clip = clipByValue(1);
 * const [clipped] = clip.update(gradients, clip.init(gradients), gradients);
 * clipped.W.toArray(); // => [1, -0.5]
 * ```
 */
export function clipByValue(
  limit: number,
  options: NonFiniteOption = {},
): GradientTransformation<ClipState> {
  const name = "clipByValue";
  checkOptions(name, options, ["nonFinite"]);
  const { nonFinite = "throw" } = options;
  checkLimit(limit, "limit", name);
  return clipping(name, 2, nonFinite, (g, { home }) => {
    const clipped = g.maximum(-limit).minimum(limit);
    if (nonFinite !== "pass") return clipped;
    const largest = normOf([g], Infinity, home);
    return where(largest.less(Infinity).cast(g.dtype), clipped, g);
  });
}
