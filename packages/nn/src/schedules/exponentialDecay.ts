import { checkNumber, checkSteps, type Schedule } from "./schedule.ts";

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
export function exponentialDecay({
  initial,
  factor,
  every = 1,
}: ExponentialDecayOptions): Schedule {
  checkNumber(initial, "initial", "exponentialDecay");
  checkNumber(factor, "factor", "exponentialDecay", 0, false);
  checkSteps(every, "every", "exponentialDecay");
  return (step) => initial * factor ** (step / every);
}
