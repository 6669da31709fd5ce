import { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkPositive } from "../checks.ts";
import { checkSameShape, type ReductionOption, reduce } from "./reduction.ts";

/** Options of `gaussianNegativeLogLikelihood`. */
export interface GaussianOptions extends ReductionOption {
  /**
   * Variances below this count as this much; 1e-6 unless given. The gradient passes through as if
   * they did not.
   */
  readonly epsilon?: number;
  /** Adds the constant `log(2 pi) / 2`, which has no gradient; false unless given. */
  readonly full?: boolean;
}

/**
 * `(log variance + (target - mean)^2 / variance) / 2`: how unlikely the targets are under normal
 * distributions (Nix & Weigend 1994, Estimating the mean and variance of the target probability
 * distribution).
 *
 * Parametrised by the variance, as PyTorch's `GaussianNLLLoss`; from a network's output `s` make it
 * with `s.exp()` or `s.softplus()`.
 *
 * @param mean any shape
 * @param variance a number, or a tensor that broadcasts to the mean's shape
 * @param targets the mean's shape
 * @returns a scalar, or the mean's shape with `reduction: "none"`
 * @throws when the shapes do not fit, a variance is negative, or epsilon is not positive
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { gaussianNegativeLogLikelihood } from "@chronograd/nn";
 *
 * gaussianNegativeLogLikelihood(tensor([0, 0]), 1, tensor([2, 0])).item(); // => 1
 * ```
 */
export function gaussianNegativeLogLikelihood(
  mean: Tensor,
  variance: Tensor | number,
  targets: Tensor,
  options: GaussianOptions = {},
): Tensor {
  checkOptions("gaussianNegativeLogLikelihood", options, ["epsilon", "full", "reduction"]);
  const { epsilon = 1e-6, full = false, reduction = "mean" } = options;
  const where = "gaussianNegativeLogLikelihood";
  checkSameShape(mean, targets, where, "mean");
  checkPositive(epsilon, "epsilon", where);
  const square = mean.sub(targets).square();
  const constant = full ? Math.log(2 * Math.PI) / 2 : 0;
  if (!(variance instanceof Tensor)) {
    checkVariance(variance);
    const v = Math.max(variance, epsilon);
    return reduce(square.mul(0.5 / v).add(Math.log(v) / 2 + constant), reduction, where);
  }
  checkBroadcast(variance, mean);
  const plain = variance.detach();
  checkVariance(variance.size === 0 ? 0 : plain.min().item());
  // The limit as a constant that is added: the derivative by the variance is that of the identity.
  const v = variance.add(plain.maximum(epsilon).sub(plain));
  return reduce(v.log().add(square.div(v)).mul(0.5).add(constant), reduction, where);
}

function checkVariance(least: number): void {
  if (!(least < 0)) return;
  throw new RangeError(
    `gaussianNegativeLogLikelihood: a variance is ${least}, expected at least 0; make variances with exp or softplus`,
  );
}

function checkBroadcast(variance: Tensor, mean: Tensor): void {
  const lead = mean.rank - variance.rank;
  const fits =
    lead >= 0 && variance.shape.every((n, axis) => n === 1 || n === mean.shape[axis + lead]);
  if (fits) return;
  throw new RangeError(
    `gaussianNegativeLogLikelihood: variance [${variance.shape.join(",")}] does not broadcast to the mean's shape [${mean.shape.join(",")}]`,
  );
}
