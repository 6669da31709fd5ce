import { type Tensor, tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { shown } from "../checks.ts";
import { type ReductionOption, reduce } from "./reduction.ts";

/**
 * The pinball loss of quantiles: with the error `e = target - prediction` of the quantile `q`,
 * `q e` where the target is above and `(q - 1) e` where it is below (Koenker & Bassett 1978,
 * Regression quantiles). Its expectation is least where the prediction is the quantile.
 *
 * The derivative at `e = 0`, where there are two, is 0.
 *
 * @param predictions `[..., Q]`: one for each quantile
 * @param targets `[...]`
 * @param quantiles Q numbers between 0 and 1
 * @returns a scalar, or the predictions' shape with `reduction: "none"`
 * @throws when the shapes do not match, or a quantile is not between 0 and 1
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { quantileLoss } from "@chronograd/nn";
 *
 * const losses = quantileLoss(tensor([[1, 3]]), tensor([2]), [0.25, 0.75], { reduction: "none" });
 * losses.toArray(); // => [[0.25, 0.25]]
 * ```
 */
export function quantileLoss(
  predictions: Tensor,
  targets: Tensor,
  quantiles: readonly number[],
  options: ReductionOption = {},
): Tensor {
  checkOptions("quantileLoss", options, ["reduction"]);
  const { reduction = "mean" } = options;
  checkQuantiles(quantiles);
  checkShapes(predictions.shape, targets.shape, quantiles.length);
  const { dtype, backend } = predictions;
  const q = tensor([...quantiles], { dtype, backend });
  const error = targets.reshape([...targets.shape, 1]).sub(predictions);
  // As two branches, so that neither cancels: q max(e, 0) + (1 - q) max(-e, 0).
  const losses = error
    .relu()
    .mul(q)
    .add(error.neg().relu().mul(q.neg().add(1)));
  return reduce(losses, reduction, "quantileLoss");
}

function checkQuantiles(quantiles: readonly number[]): void {
  if (!Array.isArray(quantiles) || quantiles.length === 0) {
    throw new TypeError(
      `quantileLoss: quantiles must be an array of numbers, got ${shown(quantiles)}; one is [0.5]`,
    );
  }
  const wrong = quantiles.find((q) => !(typeof q === "number" && q > 0 && q < 1));
  if (wrong === undefined) return;
  throw new RangeError(
    `quantileLoss: a quantile must be a number between 0 and 1, got ${shown(wrong)}; the middle is 0.5`,
  );
}

function checkShapes(
  predictions: readonly number[],
  targets: readonly number[],
  count: number,
): void {
  const expected = [...targets, count];
  if (
    predictions.length === expected.length &&
    predictions.every((length, axis) => length === expected[axis])
  ) {
    return;
  }
  throw new RangeError(
    `quantileLoss: targets [${targets.join(",")}] and ${count} quantiles need predictions [${expected.join(",")}], got [${predictions.join(",")}]; the last axis is that of the quantiles`,
  );
}
