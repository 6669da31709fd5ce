import { format, normalizeAxes, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inverse } from "./batched.ts";
import { reshape, transpose } from "./shape.ts";

/**
 * Applies what works along the last axis to axes anywhere, all of them as one axis, in their order:
 * they are moved to the end, and moved back. `f` keeps the shape, except the length of the last
 * axis if there is only one axis. @internal
 */
export function alongLast(
  x: Tensor,
  axes: number | readonly number[],
  name: string,
  f: (rows: Tensor) => Tensor,
): Tensor {
  const list = normalizeAxes(axes, x.rank, name);
  if (list.length === 0) {
    throw new RangeError(`${name}: expected at least one axis of ${format(x.shape)}, got none`);
  }
  const last = x.rank - 1;
  if (list.length === 1 && list[0] === last) return f(x);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !list.includes(axis));
  const order = [...kept, ...list];
  const moved = transpose(x, order);
  const lead = moved.shape.slice(0, kept.length);
  const y = f(reshape(moved, [...lead, sizeOf(moved.shape.slice(kept.length))]));
  const back = list.length === 1 ? y : reshape(y, moved.shape);
  return transpose(back, inverse(order));
}
