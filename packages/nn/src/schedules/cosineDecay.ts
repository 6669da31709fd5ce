import { checkNumber, checkSteps, type Schedule } from "./schedule.ts";

/** Options of `cosineDecay`. */
export interface CosineDecayOptions {
  readonly initial: number;
  /** Steps until the end; the rate stays at `final` from then on. */
  readonly steps: number;
  /** 0 unless given. */
  readonly final?: number;
}

/**
 * `final + (initial - final) (1 + cos(pi step / steps)) / 2`: half a cosine wave (Loshchilov & Hutter 2017, SGDR,
 * eq. 5, without restarts).
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { cosineDecay } from "@chronograd/nn";
 *
 * const rate = cosineDecay({ initial: 1, steps: 100 });
 * [rate(0), rate(50).toFixed(6), rate(100), rate(1000)]; // => [1, "0.500000", 0, 0]
 * ```
 */
export function cosineDecay({ initial, steps, final = 0 }: CosineDecayOptions): Schedule {
  checkNumber(initial, "initial", "cosineDecay");
  checkNumber(final, "final", "cosineDecay");
  checkSteps(steps, "steps", "cosineDecay");
  return (step) => {
    if (step >= steps) return final;
    return final + ((initial - final) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
  };
}
