import { hypot } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkNumber } from "../checks.ts";
import type { LearningRate } from "../schedules/schedule.ts";
import { fromRule, type RuleState } from "./fromRule.ts";
import { decayed, positive } from "./rule.ts";
import type { GradientTransformation } from "./transformation.ts";

/** Options of `adagrad`. */
export interface AdagradOptions {
  /** 0.01 unless given. */
  readonly learningRate?: LearningRate;
  /** In update `t` the rate is divided by `1 + (t - 1) learningRateDecay`; 0 unless given. */
  readonly learningRateDecay?: number;
  /** Adds `weightDecay w` to the gradient; 0 unless given. */
  readonly weightDecay?: number;
  /** What the sums of squares start from; 0 unless given. */
  readonly initialAccumulator?: number;
  /** Added to the root; 1e-10 unless given. */
  readonly epsilon?: number;
}

/** The root of the sum of squares, so that no square overflows. */
export type AdagradState = RuleState<"size">;

const known = ["learningRate", "learningRateDecay", "weightDecay", "initialAccumulator", "epsilon"];

/**
 * `v += g^2`, `w -= rate g / (sqrt(v) + epsilon)` (Duchi, Hazan & Singer 2011, Adaptive subgradient
 * methods). Formulas and defaults as PyTorch.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { adagrad, applyUpdates } from "@chronograd/nn";
 *
 * const optimizer = adagrad({ learningRate: 0.5 });
 * const w = tensor([1, 1]);
 * const [update] = optimizer.update(tensor([4, -4]), optimizer.init(w), w);
 * applyUpdates(w, update).toArray(); // => [0.5, 1.5]
 * ```
 */
export function adagrad(options: AdagradOptions = {}): GradientTransformation<AdagradState> {
  checkOptions("adagrad", options, known);
  const { learningRate = 0.01, learningRateDecay = 0, weightDecay = 0 } = options;
  const { initialAccumulator = 0, epsilon = 1e-10 } = options;
  checkNumber(learningRateDecay, "learningRateDecay", "adagrad");
  checkNumber(weightDecay, "weightDecay", "adagrad");
  checkNumber(initialAccumulator, "initialAccumulator", "adagrad");
  checkNumber(epsilon, "epsilon", "adagrad");
  return fromRule<"size">({
    name: "adagrad",
    learningRate,
    moments: ["size"],
    start: Math.sqrt(initialAccumulator),
    fused(kernels, { n, w, g, size, t, rate, factor, update }) {
      const decay = learningRateDecay;
      kernels.adagrad(n, w, g, size, t, rate, factor, weightDecay, decay, epsilon, update);
    },
    plain({ w, g, t, rate, size: before }) {
      const d = decayed(w, g, weightDecay);
      const size = hypot(before, d);
      const age = t.sub(1).mul(learningRateDecay).add(1).cast(w.dtype);
      return {
        update: d
          .div(size.add(positive(epsilon, w)))
          .mul(rate)
          .div(age)
          .neg(),
        size,
      };
    },
  });
}
