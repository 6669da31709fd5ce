import { type Indices, notEqual, Tensor, tensor } from "@chronograd/autodiff";
import { checkOptions, crossEntropy as lossesOf } from "@chronograd/autodiff/internal";
import { type ReductionOption, reduce } from "./reduction.ts";

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends ReductionOption {
  /** Targets of this value do not count; -100 unless given. */
  readonly ignoreIndex?: number;
}

/** Class numbers: an int32 tensor, or numbers in arrays, nested or typed. */
export type ClassTargets = Indices;

/**
 * The loss of a classifier in nats: `-log softmax(logits)[target]`.
 *
 * `"mean"` divides the sum by the number of targets that count, those that are not `ignoreIndex`;
 * where none counts it is 0, and so is its gradient.
 *
 * @param logits unnormalised scores `[..., C]`
 * @param targets class numbers `[...]` from 0 to C - 1, or `ignoreIndex`
 * @returns a scalar, or losses `[...]` with `reduction: "none"`
 * @throws when the shapes do not match, or a target is not a class
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { crossEntropy } from "@chronograd/nn";
 *
 * const loss = crossEntropy(tensor([[0, 0], [0, 0]]), [1, -100]);
 * loss.item().toFixed(4); // => "0.6931"
 * ```
 */
export function crossEntropy(
  logits: Tensor,
  targets: ClassTargets,
  options: CrossEntropyOptions = {},
): Tensor {
  checkOptions("crossEntropy", options, ["ignoreIndex", "reduction"]);
  const { ignoreIndex = -100, reduction = "mean" } = options;
  const losses = lossesOf(logits, targets, ignoreIndex);
  return reduce(losses, reduction, "crossEntropy", () => counted(targets, losses, ignoreIndex));
}

/** How many targets count, by ops, so that the loss can be compiled. */
function counted(targets: ClassTargets, { backend, dtype }: Tensor, ignoreIndex: number): Tensor {
  const isTensor = targets instanceof Tensor;
  const classes = isTensor ? targets : tensor(targets, { dtype: "int32", backend });
  return notEqual(classes, ignoreIndex).cast(dtype).sum();
}
