import { type Tensor, tree } from "@chronograd/autodiff";
import { joinShards, shardOf } from "@chronograd/autodiff/internal";

/**
 * The rows of each of `count` shards of a tree: those of all its tensors whose axis has `rows`
 * elements. Others belong to all rows.
 */
export function partsOf<T>(values: T, rows: number, count: number, axis = 0): T[] {
  if (count === 1) return [values];
  return Array.from({ length: count }, (_, shard) => {
    const own = new Map<Tensor, Tensor>();
    return tree.map(values, (x: Tensor) => {
      if (x.shape[axis] !== rows) return x;
      // What stands at two places stays one value.
      const part = own.get(x) ?? shardOf(x, axis, shard, count);
      own.set(x, part);
      return part;
    }) as T;
  });
}

/** A tree whose tensors have the rows of all shards; what belongs to all rows is the first's. */
export function joinParts<T>(parts: readonly T[], rows: number, axis = 0): T {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const all = parts.map((part) => tree.leaves(part));
  let leaf = 0;
  return tree.map(first, (x: Tensor) => {
    const at = leaf++;
    if (x.shape[axis] !== rows / parts.length) return x;
    return joinShards(
      all.map((leaves) => leaves[at]!),
      axis,
    );
  }) as T;
}
