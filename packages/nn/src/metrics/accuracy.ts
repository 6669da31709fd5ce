import { shown } from "../checks.ts";

/**
 * The share of predicted classes that are the right ones, from 0 to 1.
 *
 * @param predictions N whole numbers, one class for each example
 * @param targets the N right classes
 * @throws for other numbers of predictions than of targets, none at all, or what is no whole number
 *
 * @example
 * ```ts
 * import { accuracy } from "@chronograd/nn/metrics";
 *
 * accuracy([3, 1, 4, 1], [3, 1, 4, 2]); // => 0.75
 * ```
 */
export function accuracy(predictions: ArrayLike<number>, targets: ArrayLike<number>): number {
  const count = targets?.length;
  if (predictions?.length !== count || !(count > 0)) {
    throw new RangeError(
      `accuracy: expected as many predictions as targets, and at least one, got ${shown(predictions?.length)} and ${shown(count)}`,
    );
  }
  let right = 0;
  for (let i = 0; i < count; i++) {
    const prediction = classAt("predictions", predictions, i);
    if (prediction === classAt("targets", targets, i)) right++;
  }
  return right / count;
}

function classAt(name: string, classes: ArrayLike<number>, index: number): number {
  const value = classes[index]!;
  if (Number.isSafeInteger(value)) return value;
  throw new TypeError(
    `accuracy: ${name} must be whole numbers, got ${shown(value)} at index ${index}; give the class, as argmax does, and not its score`,
  );
}
