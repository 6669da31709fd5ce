import { checkOptions } from "@chronograd/autodiff/internal";
import { checkLimit } from "../checks.ts";
import type { GradientTransformation } from "../optim/transformation.ts";
import { type ClipState, clipping } from "./clipping.ts";
import type { NonFiniteOption } from "./nonFinite.ts";
import { checkOrder, limited, type NormOrder } from "./norm.ts";

/** Options of clipping by a norm. */
export interface NormOptions extends NonFiniteOption {
  /** 2 unless given. */
  readonly order?: NormOrder;
}

/**
 * Scales all gradients by one factor so that their norm, as one vector, is at most `maxNorm`; their
 * direction stays (Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural
 * networks).
 *
 * The norm is added up in float64, and stands in the state: `state.norm` is that before clipping.
 * The factor is exactly `maxNorm / norm`, where PyTorch divides by `norm + 1e-6`. When the norm is
 * small enough the gradients are passed on as they are.
 *
 * @param maxNorm above 0; `Infinity` only measures
 * @throws for an option out of range; `update` throws when a gradient is NaN or infinite (see
 *   `nonFinite`)
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { clipByGlobalNorm } from "@chronograd/nn";
 *
 * const gradients = { W: tensor([3, 0]), b: tensor([4]) };
 * const clip = clipByGlobalNorm(1);
 * const [clipped, { norm }] = clip.update(gradients, clip.init(gradients), gradients);
 * norm.item(); // => 5
 * clipped.b.item().toFixed(2); // => "0.80"
 * ```
 */
export function clipByGlobalNorm(
  maxNorm: number,
  options: NormOptions = {},
): GradientTransformation<ClipState> {
  const name = "clipByGlobalNorm";
  checkOptions(name, options, ["order", "nonFinite"]);
  const { order = 2, nonFinite = "throw" } = options;
  checkLimit(maxNorm, "maxNorm", name);
  checkOrder(order, name);
  return clipping(name, order, nonFinite, (g, { norm, home }) => {
    const isKnown = home.parent === null && norm.tape === null;
    const isSmall = maxNorm === Infinity || (isKnown && !(norm.item() > maxNorm));
    return isSmall ? g : limited(g, norm, maxNorm, home);
  });
}
