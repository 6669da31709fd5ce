import { hypot } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkNumber } from "../checks.ts";
import type { LearningRate } from "../schedules/schedule.ts";
import { fromRule, type RuleState } from "./fromRule.ts";
import { decayed, positive } from "./rule.ts";
import type { GradientTransformation } from "./transformation.ts";

/** Options of `rmsprop`. */
export interface RmspropOptions {
  /** 0.01 unless given. */
  readonly learningRate?: LearningRate;
  /** How slowly the average of squares forgets; 0.99 unless given. */
  readonly smoothing?: number;
  /** Added to the root; 1e-8 unless given. */
  readonly epsilon?: number;
  /** Adds `weightDecay w` to the gradient; 0 unless given. */
  readonly weightDecay?: number;
  /** How much of the last step goes into the next one; 0 unless given. */
  readonly momentum?: number;
  /**
   * Divides by the deviation from the average gradient instead of by its size; false unless given.
   */
  readonly centered?: boolean;
}

/**
 * `rms` is the root of `v`, so that no square overflows; centred, of `v` less the squared `mean`,
 * which never turns negative.
 */
export type RmspropState = RuleState<"rms"> &
  Partial<Pick<RuleState<"mean" | "momentum">, "mean" | "momentum">>;

const known = ["learningRate", "smoothing", "epsilon", "weightDecay", "momentum", "centered"];

/**
 * `v = smoothing v + (1 - smoothing) g^2`, `w -= rate g / (sqrt(v) + epsilon)` (Tieleman & Hinton
 * 2012, lecture 6.5); centred, `v` minus the squared average of `g` stands under the root (Graves
 * 2013, Generating sequences with recurrent neural networks). With momentum:
 * `b = momentum b + g / (sqrt(v) + epsilon)`, `w -= rate b`. Formulas and defaults as PyTorch.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { applyUpdates, rmsprop } from "@chronograd/nn";
 *
 * const optimizer = rmsprop({ learningRate: 0.1, smoothing: 0 });
 * const w = tensor([1, 1]);
 * const [update] = optimizer.update(tensor([5, -5]), optimizer.init(w), w);
 * applyUpdates(w, update).mul(1000).round().toArray(); // => [900, 1100]
 * ```
 */
export function rmsprop(options: RmspropOptions = {}): GradientTransformation<RmspropState> {
  checkOptions("rmsprop", options, known);
  const { learningRate = 0.01, smoothing = 0.99, epsilon = 1e-8 } = options;
  const { weightDecay = 0, momentum = 0, centered = false } = options;
  checkNumber(smoothing, "smoothing", "rmsprop", 0, 1);
  checkNumber(epsilon, "epsilon", "rmsprop");
  checkNumber(weightDecay, "weightDecay", "rmsprop");
  checkNumber(momentum, "momentum", "rmsprop");
  return fromRule<"rms" | "mean" | "momentum">({
    name: "rmsprop",
    learningRate,
    moments: [
      "rms",
      ...(centered ? ["mean" as const] : []),
      ...(momentum === 0 ? [] : ["momentum" as const]),
    ],
    fused(kernels, { n, w, g, rms, mean = 0, momentum: b = 0, rate, factor, update }) {
      const center = centered ? 1 : 0;
      kernels.rmsprop(
        n,
        w,
        g,
        rms,
        mean,
        b,
        rate,
        factor,
        weightDecay,
        smoothing,
        center,
        epsilon,
        momentum,
        update,
      );
    },
    plain({ w, g, rate, ...before }) {
      const d = decayed(w, g, weightDecay);
      const [keep, rest] = [Math.sqrt(smoothing), Math.sqrt(1 - smoothing)];
      // v' - mean'^2 = smoothing (v - mean^2 + (1 - smoothing) (g - mean)^2).
      const error = centered ? d.sub(before.mean).mul(keep * rest) : d.mul(rest);
      const rms = hypot(before.rms.mul(keep), error);
      const mean = centered && before.mean.mul(smoothing).add(d.mul(1 - smoothing));
      const quotient = d.div(rms.add(positive(epsilon, w)));
      const direction = momentum === 0 ? quotient : before.momentum.mul(momentum).add(quotient);
      return {
        update: direction.mul(rate).neg(),
        rms,
        ...(mean && { mean }),
        ...(momentum > 0 && { momentum: direction }),
      };
    },
  }) as GradientTransformation<RmspropState>;
}
