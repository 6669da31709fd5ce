import type { Tensor } from "../tensor/tensor.ts";

/**
 * The same value as a constant: nothing flows back through it on any tape. No copy. See
 * `Tensor.detach`.
 */
export function detach(x: Tensor): Tensor {
  return x.detach();
}
