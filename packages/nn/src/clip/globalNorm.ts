import { map, type Tensor } from "@chronograd/autodiff";
import { Clipped } from "./clipped.ts";
import { checkLimit } from "./limit.ts";
import { measure, type NonFiniteOption } from "./nonFinite.ts";
import { checkOrder, type NormOrder } from "./norm.ts";

/** Options of clipping by a norm. */
export interface NormOptions extends NonFiniteOption {
  /** 2 unless given. */
  readonly order?: NormOrder;
}

/**
 * Scales all gradients together so that their norm, as one vector, is at most `maxNorm`; their direction stays
 * (Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks).
 *
 * The norm is added up in float64. The factor is exactly `maxNorm / norm`, where PyTorch divides by `norm + 1e-6`. When
 * the norm is small enough the gradients are returned as they are.
 *
 * @param gradients a tree of tensors
 * @param maxNorm above 0; `Infinity` only measures
 * @throws when a gradient is NaN or infinite (see `nonFinite`), or an option is out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { clipByGlobalNorm } from "@chronograd/nn";
 *
 * const { gradients, norm, clipped } = clipByGlobalNorm({ W: tensor([3, 0]), b: tensor([4]) }, 1);
 * norm; // => 5
 * clipped; // => true
 * gradients.b.item().toFixed(2); // => "0.80"
 * ```
 */
export function clipByGlobalNorm<T>(
  gradients: T,
  maxNorm: number,
  { order = 2, nonFinite = "throw" }: NormOptions = {},
): Clipped<T> {
  checkLimit(maxNorm, "maxNorm", "clipByGlobalNorm");
  checkOrder(order, "clipByGlobalNorm");
  const measured = measure(gradients, order, nonFinite, "clipByGlobalNorm");
  const { norm, zeroed } = measured;
  if (!Number.isFinite(norm) || norm <= maxNorm)
    return new Clipped(measured.gradients, norm, zeroed);
  const scaled = map(measured.gradients, (g: Tensor) =>
    g.dtype === "int32" ? g : g.mul(maxNorm / norm),
  );
  return new Clipped(scaled as T, norm, true);
}
