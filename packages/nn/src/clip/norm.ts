import { scope, type Tensor } from "@chronograd/autodiff";
import { kernelsOf } from "@chronograd/autodiff/extend";

/** Which vector norm: the sum of magnitudes, the Euclidean length, the largest magnitude. */
export type NormOrder = 1 | 2 | typeof Number.POSITIVE_INFINITY;

/** Throws a sentence unless the order is 1, 2 or Infinity. */
export function checkOrder(order: number, where: string): void {
  if (order === 1 || order === 2 || order === Number.POSITIVE_INFINITY) return;
  throw new RangeError(`${where}: order must be 1, 2 or Infinity, got ${String(order)}`);
}

/** The norm of all elements of several float tensors as one vector, in float64. */
export function normOf(tensors: readonly Tensor[], order: number): number {
  if (order === 2) return euclideanNorm(tensors);
  let norm = 0;
  for (const x of tensors) {
    if (x.size === 0) continue;
    const part = scope(() => {
      const magnitudes = x.detach().abs();
      return order === 1 ? magnitudes.cast("float64").sum().item() : magnitudes.max().item();
    });
    norm = order === 1 ? norm + part : Math.max(norm, part);
  }
  return norm;
}

function euclideanNorm(tensors: readonly Tensor[]): number {
  let squares = 0;
  for (const x of tensors) squares += kernelsOf(x.backend, x).sumSquares(x.size, x.pointer);
  if (squares > 1e-280 && Number.isFinite(squares)) return Math.sqrt(squares);
  // Squares of float64 overflow, and vanish, long before the elements do: scale by the largest magnitude.
  const largest = normOf(tensors, Number.POSITIVE_INFINITY);
  if (!Number.isFinite(largest) || largest === 0) return largest;
  let scaled = 0;
  for (const x of tensors) {
    for (const element of x.toTypedArray()) scaled += (element / largest) ** 2;
  }
  return largest * Math.sqrt(scaled);
}
