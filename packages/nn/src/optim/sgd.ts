import type { Schedule } from "../schedules/schedule.ts";
import { leafwise } from "./leafwise.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkOption } from "./rule.ts";

/** Options of `sgd`; all but the learning rate are off unless given. */
export interface SgdOptions {
  readonly learningRate: number | Schedule;
  /** How much of the last step goes into the next one. */
  readonly momentum?: number;
  /** How much less of the gradient goes into the momentum. */
  readonly dampening?: number;
  /** Looks ahead along the momentum. */
  readonly nesterov?: boolean;
  /** Adds `weightDecay w` to the gradient. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent: `w -= rate g`. With momentum: `b = momentum b + (1 - dampening) g`, `b = g` in the first
 * update, and `w -= rate b`, or `w -= rate (g + momentum b)` with `nesterov` (Sutskever et al. 2013, On the importance
 * of initialization and momentum in deep learning). Formulas and defaults as PyTorch.
 *
 * @throws for an option out of range, or `nesterov` without momentum or with dampening
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { sgd } from "@chronograd/nn";
 *
 * const optimizer = sgd({ learningRate: 0.5 });
 * optimizer.update({ w: tensor([1, 2]) }, { w: tensor([2, 0]) }).w.toArray(); // => [0, 2]
 * ```
 */
export function sgd({
  learningRate,
  momentum = 0,
  dampening = 0,
  nesterov = false,
  weightDecay = 0,
}: SgdOptions): Optimizer {
  checkOption(momentum, "momentum", "sgd");
  checkOption(weightDecay, "weightDecay", "sgd");
  checkOption(dampening, "dampening", "sgd", Number.NEGATIVE_INFINITY);
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new RangeError(
      `sgd: nesterov needs momentum above 0 and no dampening, got momentum ${momentum} and dampening ${dampening}`,
    );
  }
  return leafwise<"momentum">({
    name: "sgd",
    learningRate,
    moments: momentum === 0 ? [] : ["momentum"],
    advance(kernels, { n, w, g, next, momentum: b = 0 }, rate, t) {
      const rest = t === 1 ? 1 : 1 - dampening;
      kernels.sgd(n, w, g, b, weightDecay, momentum, rest, nesterov ? 1 : 0, -rate, next);
    },
  });
}
