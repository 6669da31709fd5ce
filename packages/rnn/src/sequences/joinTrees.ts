import { type Tensor, tree } from "@chronograd/autodiff";

/** Trees of one structure as one tree: what `join` makes of the tensors at each path. */
export function joinTrees<T>(trees: readonly T[], join: (parts: Tensor[]) => Tensor): T {
  const columns = trees.map((each) => tree.leaves(each));
  let leaf = 0;
  return tree.map(trees[0]!, () => {
    const at = leaf++;
    return join(columns.map((column) => column[at]!));
  }) as T;
}
