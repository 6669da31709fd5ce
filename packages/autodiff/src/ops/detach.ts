import { alias, checkAlive, giveOwner, innermostPrimal, type Tensor } from "../tensor/tensor.ts";

/**
 * The same value as a constant: nothing flows back through it on any tape. No copy.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * grad((x) => x.mul(x.detach()).sum())(tensor([3])).toArray(); // => [3]
 * ```
 */
export function detach(x: Tensor): Tensor {
  if (x.tape === null) return x;
  const value = innermostPrimal(x);
  checkAlive(value, "detach");
  return giveOwner(alias(value, value.shape));
}
