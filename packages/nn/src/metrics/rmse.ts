import { sameLength } from "./sameLength.ts";

/**
 * The root of the mean squared error, in the unit of the targets.
 *
 * @param predictions N numbers
 * @param targets N numbers
 * @throws for other numbers of predictions than of targets, none at all, or NaN
 *
 * @example
 * ```ts
 * import { rmse } from "@chronograd/nn/metrics";
 *
 * rmse([1, 2, 3, 4], [1, 2, 3, 8]); // => 2
 * ```
 */
export function rmse(predictions: ArrayLike<number>, targets: ArrayLike<number>): number {
  const count = sameLength({ predictions, targets }, "rmse");
  // By the largest error, so that squares neither overflow nor vanish.
  let largest = 0;
  for (let i = 0; i < count; i++) {
    largest = Math.max(largest, Math.abs(predictions[i]! - targets[i]!));
  }
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += ((predictions[i]! - targets[i]!) / largest) ** 2;
  return largest * Math.sqrt(sum / count);
}
