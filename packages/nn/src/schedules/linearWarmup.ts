import { asSchedule, checkNumber, checkSteps, type Schedule } from "./schedule.ts";

/** Options of `linearWarmup`. */
export interface LinearWarmupOptions {
  /** Steps until the rate is that of `to`. */
  readonly steps: number;
  /** The rate, or the schedule, to go on with; the schedule counts its steps from the end of the warm-up. */
  readonly to: number | Schedule;
  /** The rate at step 0; the peak divided by `steps + 1` unless given, so that no step is lost on a rate of 0. */
  readonly from?: number;
}

/**
 * From a low rate in a straight line up to the first rate of `to` at step `steps`, and on with `to`.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { linearWarmup } from "@chronograd/nn";
 *
 * const rate = linearWarmup({ steps: 4, from: 0, to: 1 });
 * [0, 1, 2, 3, 4, 5].map(rate); // => [0, 0.25, 0.5, 0.75, 1, 1]
 * ```
 */
export function linearWarmup({ steps, from, to }: LinearWarmupOptions): Schedule {
  checkSteps(steps, "steps", "linearWarmup");
  if (typeof to !== "function") checkNumber(to, "to", "linearWarmup");
  if (from !== undefined) checkNumber(from, "from", "linearWarmup");
  const after = asSchedule(to);
  return (step) => {
    if (step >= steps) return after(step - steps);
    const peak = after(0);
    const low = from ?? peak / (steps + 1);
    return low + ((peak - low) * step) / steps;
  };
}
