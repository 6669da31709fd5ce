import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkSameShape, type ReductionOption, reduce } from "./reduction.ts";

/**
 * `(prediction - target)^2`, over all elements.
 *
 * @param predictions any shape
 * @param targets the same shape
 * @returns a scalar, or the predictions' shape with `reduction: "none"`
 * @throws when the shapes differ
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { meanSquaredError } from "@chronograd/nn";
 *
 * meanSquaredError(tensor([1, 2]), tensor([1, 4])).item(); // => 2
 * ```
 */
export function meanSquaredError(
  predictions: Tensor,
  targets: Tensor,
  options: ReductionOption = {},
): Tensor {
  checkOptions("meanSquaredError", options, ["reduction"]);
  const { reduction = "mean" } = options;
  checkSameShape(predictions, targets, "meanSquaredError");
  return reduce(predictions.sub(targets).square(), reduction, "meanSquaredError");
}
