import { checkOptions } from "@chronograd/autodiff/internal";
import { checkLimit } from "../checks.ts";
import type { GradientTransformation } from "../optim/transformation.ts";
import { type ClipState, clipping } from "./clipping.ts";
import type { NormOptions } from "./globalNorm.ts";
import { checkOrder, limited, normOf } from "./norm.ts";

/**
 * Scales the gradient of each parameter on its own so that its norm is at most `maxNorm`. The
 * direction of the whole changes. The norm of all before clipping stands in the state.
 *
 * @param maxNorm above 0
 * @throws for an option out of range; `update` throws when a gradient is NaN or infinite (see
 *   `nonFinite`)
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { clipPerParameter } from "@chronograd/nn";
 *
 * const gradients = { W: tensor([3, 4]), b: tensor([0.5]) };
 * const clip = clipPerParameter(1);
 * const [clipped] = clip.update(gradients, clip.init(gradients), gradients);
 * clipped.b.item(); // => 0.5
 * clipped.W.mul(100).round().toArray(); // => [60, 80]
 * ```
 */
export function clipPerParameter(
  maxNorm: number,
  options: NormOptions = {},
): GradientTransformation<ClipState> {
  const name = "clipPerParameter";
  checkOptions(name, options, ["order", "nonFinite"]);
  const { order = 2, nonFinite = "throw" } = options;
  checkLimit(maxNorm, "maxNorm", name);
  checkOrder(order, name);
  return clipping(name, order, nonFinite, (g, { home }) =>
    limited(g, normOf([g], order, home), maxNorm, home),
  );
}
