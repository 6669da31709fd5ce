import { crossEntropy, type DType, notEqual, Tensor } from "@chronograd/autodiff";
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
  return reduce(losses, reduction, "crossEntropyLoss", () =>
    counted(targets, losses.dtype, ignoreIndex),
  );
}

/** How many targets count. Of a tensor they are counted by ops, so that the loss can be compiled. */
function counted(targets: ClassTargets, dtype: DType, ignoreIndex: number): number | Tensor {
  if (targets instanceof Tensor) return notEqual(targets.cast(dtype), ignoreIndex).sum();
  let count = 0;
  for (const target of targets) if (target !== ignoreIndex) count++;
  return count;
}
