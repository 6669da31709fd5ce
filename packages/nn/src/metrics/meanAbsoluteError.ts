import { sameLength } from "./sameLength.ts";

/**
 * The mean of the absolute errors, in the unit of the targets.
 *
 * @param predictions N numbers
 * @param targets N numbers
 * @throws for other numbers of predictions than of targets, none at all, or NaN
 *
 * @example
 * ```ts
 * import { meanAbsoluteError } from "@chronograd/nn/metrics";
 *
 * meanAbsoluteError([1, 2, 3, 4], [1, 2, 3, 8]); // => 1
 * ```
 */
export function meanAbsoluteError(
  predictions: ArrayLike<number>,
  targets: ArrayLike<number>,
): number {
  const count = sameLength({ predictions, targets }, "meanAbsoluteError");
  let mean = 0;
  for (let i = 0; i < count; i++) mean += Math.abs(predictions[i]! - targets[i]!) / count;
  return mean;
}
