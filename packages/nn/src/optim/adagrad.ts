import type { Schedule } from "../schedules/schedule.ts";
import { leafwise } from "./leafwise.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkOption } from "./rule.ts";

/** Options of `adagrad`. */
export interface AdagradOptions {
  /** 0.01 unless given. */
  readonly learningRate?: number | Schedule;
  /** In update `t` the rate is divided by `1 + (t - 1) learningRateDecay`; 0 unless given. */
  readonly learningRateDecay?: number;
  /** Adds `weightDecay w` to the gradient; 0 unless given. */
  readonly weightDecay?: number;
  /** What the sums of squares start from; 0 unless given. */
  readonly initialAccumulator?: number;
  /** Added to the root; 1e-10 unless given. */
  readonly epsilon?: number;
}

/**
 * `v += g^2`, `w -= rate g / (sqrt(v) + epsilon)` (Duchi, Hazan & Singer 2011, Adaptive subgradient methods). Formulas
 * and defaults as PyTorch.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { adagrad } from "@chronograd/nn";
 *
 * const optimizer = adagrad({ learningRate: 0.5 });
 * optimizer.update(tensor([1, 1]), tensor([4, -4])).toArray(); // => [0.5, 1.5]
 * ```
 */
export function adagrad({
  learningRate = 0.01,
  learningRateDecay = 0,
  weightDecay = 0,
  initialAccumulator = 0,
  epsilon = 1e-10,
}: AdagradOptions = {}): Optimizer {
  checkOption(learningRateDecay, "learningRateDecay", "adagrad");
  checkOption(weightDecay, "weightDecay", "adagrad");
  checkOption(initialAccumulator, "initialAccumulator", "adagrad");
  checkOption(epsilon, "epsilon", "adagrad");
  return leafwise<"sum">({
    name: "adagrad",
    learningRate,
    moments: ["sum"],
    start: initialAccumulator,
    advance(kernels, { n, w, g, next, sum }, rate, t) {
      const step = -rate / (1 + (t - 1) * learningRateDecay);
      kernels.adagrad(n, w, g, sum, weightDecay, epsilon, step, next);
    },
  });
}
