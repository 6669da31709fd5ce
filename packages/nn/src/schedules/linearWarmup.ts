import { where } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkNumber, checkWhole } from "../checks.ts";
import { formulaOf, type LearningRate, type Schedule, schedule } from "./schedule.ts";

/** Options of `linearWarmup`. */
export interface LinearWarmupOptions {
  /** Steps until the rate is that of `to`. */
  readonly steps: number;
  /**
   * The rate, or the schedule, to go on with; the schedule counts its steps from the end of the
   * warm-up.
   */
  readonly to: LearningRate;
  /**
   * The rate at step 0; the peak divided by `steps + 1` unless given, so that no step is lost on a
   * rate of 0.
   */
  readonly from?: number;
}

/**
 * From a low rate in a straight line up to the first rate of `to` at step `steps`, and on with
 * `to`.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { linearWarmup } from "@chronograd/nn";
 *
 * const rate = linearWarmup({ steps: 4, from: 0, to: 1 });
 * [0, 1, 2, 3, 4, 5].map((step) => rate(step)); // => [0, 0.25, 0.5, 0.75, 1, 1]
 * ```
 */
export function linearWarmup(options: LinearWarmupOptions): Schedule {
  checkOptions("linearWarmup", options, ["steps", "to", "from"]);
  const { steps, from, to } = options;
  checkWhole(steps, "steps", "linearWarmup");
  if (typeof to !== "function") checkNumber(to, "to", "linearWarmup");
  if (from !== undefined) checkNumber(from, "from", "linearWarmup");
  const after = formulaOf(to, "linearWarmup");
  return schedule((step) => {
    const peak = after(step.mul(0));
    const low = from === undefined ? peak.div(steps + 1) : peak.mul(0).add(from);
    const rising = low.add(peak.sub(low).mul(step).div(steps));
    return where(step.less(steps), rising, after(step.sub(steps).maximum(0)));
  });
}
