import type { Tensor } from "@chronograd/autodiff";
import { checkLearningRate, type LearningRate, rateAt } from "../schedules/schedule.ts";
import { transformation } from "./consumeState.ts";
import { scaledBy } from "./scale.ts";
import { checkState, initialStep, stepAfter } from "./stepCount.ts";
import type { GradientTransformation } from "./transformation.ts";

/**
 * Updates times `-rate`, a number or a schedule: the last link after your own rules that give a
 * direction.
 *
 * @throws for a rate below 0
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { cosineDecay, scaleByLearningRate } from "@chronograd/nn";
 *
 * const descent = scaleByLearningRate(cosineDecay({ initial: 0.5, steps: 10 }));
 * const w = tensor([1, 1]);
 * const [update, state] = descent.update(tensor([2, 4]), descent.init(w), w);
 * update.toArray(); // => [-1, -2]
 * state.step.item(); // => 1
 * ```
 */
export function scaleByLearningRate(
  rate: LearningRate,
): GradientTransformation<{ readonly step: Tensor }> {
  const name = "scaleByLearningRate";
  checkLearningRate(rate, name);
  return transformation<{ readonly step: Tensor }>(name, {
    init: (params) => ({ step: initialStep(params) }),
    step(updates, state) {
      checkState(state, [], `${name}.update`);
      const now = rateAt(rate, state.step, name);
      const factor = typeof now === "number" ? -now : now.neg();
      return [scaledBy(updates, factor), { step: stepAfter(state.step) }];
    },
  });
}
