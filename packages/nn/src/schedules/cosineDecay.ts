import { checkOptions } from "@chronograd/autodiff/internal";
import { checkNumber, checkWhole } from "../checks.ts";
import { type Schedule, schedule } from "./schedule.ts";

/** Options of `cosineDecay`. */
export interface CosineDecayOptions {
  readonly initial: number;
  /** Steps until the end; the rate stays at `final` from then on. */
  readonly steps: number;
  /** 0 unless given. */
  readonly final?: number;
}

/**
 * `final + (initial - final) (1 + cos(pi step / steps)) / 2`: half a cosine wave (Loshchilov &
 * Hutter 2017, SGDR, eq. 5, without restarts).
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
export function cosineDecay(options: CosineDecayOptions): Schedule {
  checkOptions("cosineDecay", options, ["initial", "steps", "final"]);
  const { initial, steps, final = 0 } = options;
  checkNumber(initial, "initial", "cosineDecay");
  checkNumber(final, "final", "cosineDecay");
  checkWhole(steps, "steps", "cosineDecay");
  return schedule((step) => {
    const angle = step.minimum(steps).mul(Math.PI / steps);
    return angle
      .cos()
      .add(1)
      .mul((initial - final) / 2)
      .add(final);
  });
}
