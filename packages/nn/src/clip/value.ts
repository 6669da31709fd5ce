import { map, type Tensor } from "@chronograd/autodiff";
import { Clipped } from "./clipped.ts";
import { checkLimit } from "./limit.ts";
import { measure, type NonFiniteOption } from "./nonFinite.ts";
import { normOf } from "./norm.ts";

/**
 * Limits every element of every gradient to between `-limit` and `limit` (Mikolov 2012, Statistical language models
 * based on neural networks). The direction changes.
 *
 * @param gradients a tree of tensors
 * @param limit above 0
 * @throws when a gradient is NaN or infinite (see `nonFinite`), or the limit is not above 0
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { clipByValue } from "@chronograd/nn";
 *
 * clipByValue({ W: tensor([3, -0.5]) }, 1).gradients.W.toArray(); // => [1, -0.5]
 * ```
 */
export function clipByValue<T>(
  gradients: T,
  limit: number,
  { nonFinite = "throw" }: NonFiniteOption = {},
): Clipped<T> {
  checkLimit(limit, "limit", "clipByValue");
  const measured = measure(gradients, 2, nonFinite, "clipByValue");
  let clipped = measured.zeroed;
  const limited = map(measured.gradients, (g: Tensor) => {
    const largest = g.dtype === "int32" ? 0 : normOf([g], Number.POSITIVE_INFINITY);
    if (!Number.isFinite(largest) || largest <= limit) return g;
    clipped = true;
    return g.maximum(-limit).minimum(limit);
  });
  return new Clipped(limited as T, measured.norm, clipped);
}
