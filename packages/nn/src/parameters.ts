import { tree } from "@chronograd/autodiff";

/**
 * The number of elements of all float tensors in a tree: what an optimizer may change.
 *
 * @example
 * ```ts
 * import { countParameters, initialize, linear, rng } from "@chronograd/nn";
 *
 * countParameters(initialize(linear({ inputs: 2, outputs: 3 }).params, rng(1))); // => 9
 * ```
 */
export function countParameters(values: unknown): number {
  return tree
    .leaves(values)
    .reduce((count, x) => (x.dtype === "int32" ? count : count + x.size), 0);
}
