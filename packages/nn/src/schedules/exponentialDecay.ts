import { pow } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkNumber, checkPositive, checkWhole } from "../checks.ts";
import { type Schedule, schedule } from "./schedule.ts";

/** Options of `exponentialDecay`. */
export interface ExponentialDecayOptions {
  readonly initial: number;
  /** What the rate is multiplied by over `every` steps. */
  readonly factor: number;
  /** 1 unless given. */
  readonly every?: number;
}

/**
 * `initial factor^(step / every)`.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { exponentialDecay } from "@chronograd/nn";
 *
 * const rate = exponentialDecay({ initial: 1, factor: 0.25, every: 10 });
 * [rate(0), rate(5), rate(10)]; // => [1, 0.5, 0.25]
 * ```
 */
export function exponentialDecay(options: ExponentialDecayOptions): Schedule {
  checkOptions("exponentialDecay", options, ["initial", "factor", "every"]);
  const { initial, factor, every = 1 } = options;
  checkNumber(initial, "initial", "exponentialDecay");
  checkPositive(factor, "factor", "exponentialDecay");
  checkWhole(every, "every", "exponentialDecay");
  return schedule((step) => pow(factor, step.div(every)).mul(initial));
}
