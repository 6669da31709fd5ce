import { type Backend, type Tensor, tensor, where } from "@chronograd/autodiff";
import { kernelsOf } from "@chronograd/autodiff/extend";
import { allocate, giveOwner } from "@chronograd/autodiff/internal";
import { shown } from "../checks.ts";
import { scalar } from "../optim/finite.ts";

/** Which vector norm: the sum of magnitudes, the Euclidean length, the largest magnitude. */
export type NormOrder = 1 | 2 | typeof Number.POSITIVE_INFINITY;

/** Throws a sentence unless the order is 1, 2 or Infinity. */
export function checkOrder(order: number, where: string): void {
  if (order === 1 || order === 2 || order === Number.POSITIVE_INFINITY) return;
  throw new RangeError(`${where}: order must be 1, 2 or Infinity, got ${shown(order)}`);
}

/**
 * The norm of all elements of several float tensors as one vector: a float64 scalar, right for all
 * finite numbers.
 */
export function normOf(tensors: readonly Tensor[], order: number, home: Backend): Tensor {
  const filled = tensors.filter(({ size }) => size > 0);
  if (filled.length === 0) return tensor(0, { dtype: "float64", backend: home });
  if (order === 2 && filled.every(({ tape }) => tape === null)) {
    const norm = giveOwner(scalar(home));
    for (const x of filled) kernelsOf(home, x).norm(x.size, x.pointer, norm.pointer);
    return norm;
  }
  const wide = filled.map((x) => x.cast("float64").abs());
  const all = (of: (x: Tensor) => Tensor, join: (a: Tensor, b: Tensor) => Tensor) =>
    wide.map(of).reduce(join);
  if (order === 1) {
    return all(
      (x) => x.sum(),
      (a, b) => a.add(b),
    );
  }
  const largest = all(
    (x) => x.max(),
    (a, b) => a.maximum(b),
  );
  if (order !== 2) return largest;
  // A norm is homogeneous, so what it is divided and multiplied by may be a constant.
  const unit = largest.detach().add(largest.detach().equal(0));
  const squares = wide.map((x) => x.div(unit).square().sum()).reduce((a, b) => a.add(b));
  // The root has no derivative at 0, but its square has.
  const isZero = squares.detach().equal(0);
  return squares.add(isZero).sqrt().sub(isZero).mul(unit);
}

/** Elements times `limit / norm` where a float64 norm is above the limit, and finite. */
export function limited(x: Tensor, norm: Tensor, limit: number, home: Backend): Tensor {
  if (x.tape === null && norm.tape === null) {
    const y = allocate(home, x.shape, x.dtype);
    y.block.window = x.block.window;
    kernelsOf(home, x).limitNorm(x.size, x.pointer, norm.pointer, limit, y.pointer);
    return giveOwner(y);
  }
  const applies = norm.greater(limit).mul(norm.less(Infinity));
  const factor = where(applies, where(applies, norm, 1).reciprocal().mul(limit), 1);
  return x.cast("float64").mul(factor).cast(x.dtype);
}
