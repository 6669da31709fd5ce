import { leaves } from "@chronograd/autodiff";

export type { IsLeaf, MapTree, Tree } from "@chronograd/autodiff";
export { flatten, leaves, map, zip } from "@chronograd/autodiff";

/**
 * The number of elements of all float tensors in a tree: what an optimizer may change.
 *
 * @example
 * ```ts
 * import { countParameters, initialize, linear, stream } from "@chronograd/nn";
 *
 * countParameters(initialize(linear({ input: 2, output: 3 }).params, stream(1))); // => 9
 * ```
 */
export function countParameters(tree: unknown): number {
  return leaves(tree).reduce((count, x) => (x.dtype === "int32" ? count : count + x.size), 0);
}
