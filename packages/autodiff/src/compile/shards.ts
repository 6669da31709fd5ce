import { concat } from "../ops/join.ts";
import { slice } from "../ops/slice.ts";
import { alias, type Tensor } from "../tensor/tensor.ts";

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

/** Parts side by side along an axis. */
export function joinShards(parts: readonly Tensor[], axis: number): Tensor {
  return concat(parts, axis);
}
