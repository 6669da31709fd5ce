import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkSameShape, type ReductionOption, reduce } from "./reduction.ts";

/**
 * The loss of independent yes-or-no answers in nats:
 * `-t log sigmoid(x) - (1 - t) log(1 - sigmoid(x))`, computed as
 * `t softplus(-x) + (1 - t) softplus(x)`, which neither overflows nor cancels.
 *
 * @param logits `x`, any shape
 * @param targets `t`, the same shape: probabilities from 0 to 1
 * @returns a scalar, or the logits' shape with `reduction: "none"`
 * @throws when the shapes differ
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { binaryCrossEntropyFromLogits } from "@chronograd/nn";
 *
 * binaryCrossEntropyFromLogits(tensor([0, 1000]), tensor([1, 0])).item().toFixed(4); // => "500.3466"
 * ```
 */
export function binaryCrossEntropyFromLogits(
  logits: Tensor,
  targets: Tensor,
  options: ReductionOption = {},
): Tensor {
  checkOptions("binaryCrossEntropyFromLogits", options, ["reduction"]);
  const { reduction = "mean" } = options;
  checkSameShape(logits, targets, "binaryCrossEntropyFromLogits", "logits");
  const yes = targets.mul(logits.neg().softplus());
  const no = targets.neg().add(1).mul(logits.softplus());
  return reduce(yes.add(no), reduction, "binaryCrossEntropyFromLogits");
}
