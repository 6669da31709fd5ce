import { sameLength } from "./sameLength.ts";

/**
 * The share of targets inside their intervals, from 0 to 1; an end belongs to its interval.
 *
 * Intervals of 80 % are right when about 0.8 of the targets are inside. How wide they had to be for
 * that is another question.
 *
 * @param lower N lower ends
 * @param upper N upper ends; an interval that ends below its beginning is empty
 * @param targets N numbers
 * @throws for lists of different lengths, empty ones, or NaN
 *
 * @example
 * ```ts
 * import { coverage } from "@chronograd/nn/metrics";
 *
 * coverage([0, 0, 0, 0], [1, 1, 1, 1], [0.5, 1, 2, -0.1]); // => 0.5
 * ```
 */
export function coverage(
  lower: ArrayLike<number>,
  upper: ArrayLike<number>,
  targets: ArrayLike<number>,
): number {
  const count = sameLength({ lower, upper, targets }, "coverage");
  let inside = 0;
  for (let i = 0; i < count; i++) {
    if (lower[i]! <= targets[i]! && targets[i]! <= upper[i]!) inside++;
  }
  return inside / count;
}
