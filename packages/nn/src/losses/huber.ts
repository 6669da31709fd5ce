import { lessEqual, type Tensor, where } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { shown } from "../checks.ts";
import { checkSameShape, type ReductionOption, reduce } from "./reduction.ts";

/** Options of `huber`. */
export interface HuberOptions extends ReductionOption {
  /** The error at which the parabola goes over into a line; 1 unless given. */
  readonly delta?: number;
}

/**
 * With the error `e = |prediction - target|`: `e^2 / 2` up to `delta`, `delta (e - delta / 2)`
 * beyond (Huber 1964, Robust estimation of a location parameter).
 *
 * @param predictions any shape
 * @param targets the same shape
 * @returns a scalar, or the predictions' shape with `reduction: "none"`
 * @throws when the shapes differ, or `delta` is not a positive number
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { huber } from "@chronograd/nn";
 *
 * huber(tensor([1, 5]), tensor([0, 0]), { reduction: "none" }).toArray(); // => [0.5, 4.5]
 * ```
 */
export function huber(predictions: Tensor, targets: Tensor, options: HuberOptions = {}): Tensor {
  checkOptions("huber", options, ["delta", "reduction"]);
  const { delta = 1, reduction = "mean" } = options;
  if (!(delta > 0 && Number.isFinite(delta))) {
    throw new RangeError(
      `huber: delta must be a positive number, got ${shown(delta)}; use meanSquaredError for no limit`,
    );
  }
  checkSameShape(predictions, targets, "huber");
  const error = predictions.sub(targets);
  // All branches are m^2 / 2 + delta |e - m|, with m the error limited to delta on both sides.
  const m = where(lessEqual(error.abs(), delta), error, error.sign().mul(delta));
  const beyond = error.sub(m).abs().mul(delta);
  return reduce(m.square().mul(0.5).add(beyond), reduction, "huber");
}
