import { concat } from "../ops/join.ts";
import { slice } from "../ops/slice.ts";
import { alias, type Tensor } from "../tensor/tensor.ts";
import { leaves, mapLeaves } from "../tensor/tree.ts";

/**
 * Part `shard` of `count` of a tensor along an axis. Where nothing comes before the axis, it is the
 * same bytes.
 */
export function shardOf(x: Tensor, axis: number, shard: number, count: number): Tensor {
  const length = x.shape[axis]! / count;
  const shape = x.shape.map((each, i) => (i === axis ? length : each));
  const start = shard * length;
  if (x.shape.slice(0, axis).every((each) => each === 1)) {
    return alias(x, shape, start * x.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  }
  return slice(x, [
    ...Array.from({ length: axis }, () => null),
    [start, start + length],
  ] as Parameters<typeof slice>[1]);
}

/**
 * The rows of each of `count` shards of a tree: those of all its tensors whose axis has `rows`
 * elements. Others belong to all rows.
 */
export function partsOf<T>(values: T, rows: number, count: number, axis = 0): T[] {
  if (count === 1) return [values];
  return Array.from({ length: count }, (_, shard) => {
    const own = new Map<Tensor, Tensor>();
    return mapLeaves(values, (x) => {
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
  const all = parts.map((part) => leaves(part));
  let leaf = 0;
  return mapLeaves(first, (x) => {
    const at = leaf++;
    if (x.shape[axis] !== rows / parts.length) return x;
    return concat(
      all.map((own) => own[at]!),
      axis,
    );
  }) as T;
}
