import { crossEntropy, Tensor } from "@chronograd/autodiff";
import { type ReductionOption, reduce } from "./reduction.ts";

/** Options of `crossEntropyLoss`. */
export interface CrossEntropyLossOptions extends ReductionOption {
  /** Targets of this value do not count; -100 unless given. */
  readonly ignoreIndex?: number;
}

/** Class numbers: an int32 tensor, or plain numbers where the logits have one row axis. */
export type ClassTargets = Tensor | readonly number[] | Int32Array;

/**
 * The loss of a classifier in nats: `-log softmax(logits)[target]`.
 *
 * `"mean"` divides the sum by the number of targets that count, those that are not `ignoreIndex`; where none counts
 * it is 0, and so is its gradient.
 *
 * @param logits unnormalised scores `[..., C]`
 * @param targets class numbers `[...]` from 0 to C - 1, or `ignoreIndex`
 * @returns a scalar, or losses `[...]` with `reduction: "none"`
 * @throws when the shapes do not match, or a target is not a class
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { crossEntropyLoss } from "@chronograd/nn";
 *
 * const loss = crossEntropyLoss(tensor([[0, 0], [0, 0]]), [1, -100]);
 * loss.item().toFixed(4); // => "0.6931"
 * ```
 */
export function crossEntropyLoss(
  logits: Tensor,
  targets: ClassTargets,
  { ignoreIndex = -100, reduction = "mean" }: CrossEntropyLossOptions = {},
): Tensor {
  const losses = crossEntropy(logits, targets, { ignoreIndex });
  return reduce(losses, reduction, "crossEntropyLoss", () => {
    let count = 0;
    for (const target of targets instanceof Tensor ? targets.toTypedArray() : targets) {
      if (target !== ignoreIndex) count++;
    }
    return count;
  });
}
