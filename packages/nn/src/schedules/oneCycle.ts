import { type Tensor, where } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkNumber, checkPositive, checkWhole, shown } from "../checks.ts";
import { type Schedule, schedule } from "./schedule.ts";

/** Options of `oneCycle`. */
export interface OneCycleOptions {
  /** The highest rate. */
  readonly peak: number;
  /** Length of the whole cycle; the rate stays at its end from then on. */
  readonly steps: number;
  /** The share of the steps that go up; 0.3 unless given. */
  readonly rising?: number;
  /** The cycle starts at `peak / initialDivisor`; 25 unless given. */
  readonly initialDivisor?: number;
  /** It ends at its start divided by this; 1e4 unless given. */
  readonly finalDivisor?: number;
}

const known = ["peak", "steps", "rising", "initialDivisor", "finalDivisor"];

/**
 * Up to a peak and down again to almost nothing, along half cosine waves (Smith & Topin 2018,
 * Super-convergence). Formulas and defaults as PyTorch's `OneCycleLR`: the peak stands at step
 * `rising * steps - 1`, the end at `steps - 1`.
 *
 * @throws for an option out of range, or a rise that is shorter than one step
 *
 * @example
 * ```ts
 * import { oneCycle } from "@chronograd/nn";
 *
 * const rate = oneCycle({ peak: 1, steps: 101, rising: 50 / 101, initialDivisor: 10, finalDivisor: 10 });
 * [rate(0), rate(49), rate(100)].map((x) => x.toFixed(3)); // => ["0.100", "1.000", "0.010"]
 * ```
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  checkOptions("oneCycle", options, known);
  const { peak, steps, rising = 0.3, initialDivisor = 25, finalDivisor = 1e4 } = options;
  checkNumber(peak, "peak", "oneCycle");
  checkWhole(steps, "steps", "oneCycle", 2);
  checkPositive(initialDivisor, "initialDivisor", "oneCycle");
  checkPositive(finalDivisor, "finalDivisor", "oneCycle");
  const top = rising * steps - 1;
  const end = steps - 1;
  if (!(top > 0 && top < end)) {
    throw new RangeError(
      `oneCycle: rising must be a share of the steps above ${1 / steps} and below 1, got ${shown(rising)} of ${steps} steps`,
    );
  }
  const first = peak / initialDivisor;
  const last = first / finalDivisor;
  return schedule((step) =>
    where(
      step.lessEqual(top),
      between(first, peak, step.div(top)),
      between(
        peak,
        last,
        step
          .sub(top)
          .div(end - top)
          .minimum(1),
      ),
    ),
  );
}

/** From `a` to `b` along half a cosine wave, as `share` goes from 0 to 1. */
function between(a: number, b: number, share: Tensor): Tensor {
  return share
    .mul(Math.PI)
    .cos()
    .add(1)
    .mul((a - b) / 2)
    .add(b);
}
