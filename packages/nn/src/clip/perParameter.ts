import { map, type Tensor } from "@chronograd/autodiff";
import { Clipped } from "./clipped.ts";
import type { NormOptions } from "./globalNorm.ts";
import { checkLimit } from "./limit.ts";
import { measure } from "./nonFinite.ts";
import { checkOrder, normOf } from "./norm.ts";

/**
 * Scales the gradient of each parameter on its own so that its norm is at most `maxNorm`. The direction of the whole
 * changes.
 *
 * @param gradients a tree of tensors
 * @param maxNorm above 0
 * @throws when a gradient is NaN or infinite (see `nonFinite`), or an option is out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { clipPerParameter } from "@chronograd/nn";
 *
 * const { gradients } = clipPerParameter({ W: tensor([3, 4]), b: tensor([0.5]) }, 1);
 * gradients.b.item(); // => 0.5
 * gradients.W.mul(100).round().toArray(); // => [60, 80]
 * ```
 */
export function clipPerParameter<T>(
  gradients: T,
  maxNorm: number,
  { order = 2, nonFinite = "throw" }: NormOptions = {},
): Clipped<T> {
  checkLimit(maxNorm, "maxNorm", "clipPerParameter");
  checkOrder(order, "clipPerParameter");
  const measured = measure(gradients, order, nonFinite, "clipPerParameter");
  let clipped = measured.zeroed;
  const scaled = map(measured.gradients, (g: Tensor) => {
    const norm = g.dtype === "int32" ? 0 : normOf([g], order);
    if (!Number.isFinite(norm) || norm <= maxNorm) return g;
    clipped = true;
    return g.mul(maxNorm / norm);
  });
  return new Clipped(scaled as T, measured.norm, clipped);
}
