import { pow } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkNumber, checkWhole } from "../checks.ts";
import { type Schedule, schedule } from "./schedule.ts";

/** Options of `stepDecay`. */
export interface StepDecayOptions {
  readonly initial: number;
  /** Steps between two cuts. */
  readonly every: number;
  /** What the rate is multiplied by at each cut; 0.1 unless given. */
  readonly factor?: number;
}

/**
 * `initial factor^floor(step / every)`: constant, with cuts.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { stepDecay } from "@chronograd/nn";
 *
 * const rate = stepDecay({ initial: 1, every: 10, factor: 0.5 });
 * [rate(0), rate(9), rate(10), rate(20)]; // => [1, 1, 0.5, 0.25]
 * ```
 */
export function stepDecay(options: StepDecayOptions): Schedule {
  checkOptions("stepDecay", options, ["initial", "every", "factor"]);
  const { initial, every, factor = 0.1 } = options;
  checkNumber(initial, "initial", "stepDecay");
  checkWhole(every, "every", "stepDecay");
  checkNumber(factor, "factor", "stepDecay");
  return schedule((step) => pow(factor, step.div(every).floor()).mul(initial));
}
