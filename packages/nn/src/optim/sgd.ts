import { checkOptions } from "@chronograd/autodiff/internal";
import { checkNumber } from "../checks.ts";
import type { LearningRate } from "../schedules/schedule.ts";
import { fromRule, type RuleState } from "./fromRule.ts";
import { decayed } from "./rule.ts";
import type { GradientTransformation } from "./transformation.ts";

/** Options of `sgd`; all but the learning rate are off unless given. */
export interface SgdOptions {
  readonly learningRate: LearningRate;
  /** How much of the last step goes into the next one. */
  readonly momentum?: number;
  /** How much less of the gradient goes into the momentum. */
  readonly dampening?: number;
  /** Looks ahead along the momentum. */
  readonly nesterov?: boolean;
  /** Adds `weightDecay w` to the gradient. */
  readonly weightDecay?: number;
}

/** The momentum, where there is one. */
export type SgdState = RuleState<never> & Partial<Pick<RuleState<"momentum">, "momentum">>;

const known = ["learningRate", "momentum", "dampening", "nesterov", "weightDecay"];

/**
 * Stochastic gradient descent: `w -= rate g`. With momentum: `b = momentum b + (1 - dampening) g`,
 * `b = g` in the first update, and `w -= rate b`, or `w -= rate (g + momentum b)` with `nesterov`
 * (Sutskever et al. 2013, On the importance of initialization and momentum in deep learning).
 * Formulas and defaults as PyTorch.
 *
 * @throws for an option out of range, or `nesterov` without momentum or with dampening
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { applyUpdates, sgd } from "@chronograd/nn";
 *
 * const optimizer = sgd({ learningRate: 0.5 });
 * const params = { w: tensor([1, 2]) };
 * const [updates] = optimizer.update({ w: tensor([2, 0]) }, optimizer.init(params), params);
 * applyUpdates(params, updates).w.toArray(); // => [0, 2]
 * ```
 */
export function sgd(options: SgdOptions): GradientTransformation<SgdState> {
  checkOptions("sgd", options, known);
  const { learningRate, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 } = options;
  checkNumber(momentum, "momentum", "sgd");
  checkNumber(weightDecay, "weightDecay", "sgd");
  checkNumber(dampening, "dampening", "sgd", Number.NEGATIVE_INFINITY);
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new RangeError(
      `sgd: nesterov needs momentum above 0 and no dampening, got momentum ${momentum} and dampening ${dampening}`,
    );
  }
  return fromRule<"momentum">({
    name: "sgd",
    learningRate,
    moments: momentum === 0 ? [] : ["momentum"],
    fused(kernels, { n, w, g, momentum: b = 0, t, rate, factor, update }) {
      const ahead = nesterov ? 1 : 0;
      kernels.sgd(n, w, g, b, t, rate, factor, weightDecay, momentum, dampening, ahead, update);
    },
    plain({ w, g, t, rate, momentum: b }) {
      const d = decayed(w, g, weightDecay);
      if (momentum === 0) return { update: d.mul(rate).neg() };
      const rest = t.greater(1).mul(-dampening).add(1).cast(w.dtype);
      const moved = b.mul(momentum).add(d.mul(rest));
      const direction = nesterov ? moved.mul(momentum).add(d) : moved;
      return { update: direction.mul(rate).neg(), momentum: moved };
    },
  }) as GradientTransformation<SgdState>;
}
