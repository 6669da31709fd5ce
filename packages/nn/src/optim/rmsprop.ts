import type { Schedule } from "../schedules/schedule.ts";
import { leafwise } from "./leafwise.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkOption } from "./rule.ts";

/** Options of `rmsprop`. */
export interface RmspropOptions {
  /** 0.01 unless given. */
  readonly learningRate?: number | Schedule;
  /** How slowly the average of squares forgets; 0.99 unless given. */
  readonly smoothing?: number;
  /** Added to the root; 1e-8 unless given. */
  readonly epsilon?: number;
  /** Adds `weightDecay w` to the gradient; 0 unless given. */
  readonly weightDecay?: number;
  /** How much of the last step goes into the next one; 0 unless given. */
  readonly momentum?: number;
  /** Divides by the deviation from the average gradient instead of by its size; false unless given. */
  readonly centered?: boolean;
}

/**
 * `v = smoothing v + (1 - smoothing) g^2`, `w -= rate g / (sqrt(v) + epsilon)` (Tieleman & Hinton 2012, lecture 6.5);
 * centred, `v` minus the squared average of `g` stands under the root (Graves 2013, Generating sequences with recurrent
 * neural networks). With momentum: `b = momentum b + g / (sqrt(v) + epsilon)`, `w -= rate b`. Formulas and defaults as
 * PyTorch.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rmsprop } from "@chronograd/nn";
 *
 * const optimizer = rmsprop({ learningRate: 0.1, smoothing: 0 });
 * const w = optimizer.update(tensor([1, 1]), tensor([5, -5]));
 * w.mul(1000).round().toArray(); // => [900, 1100]
 * ```
 */
export function rmsprop({
  learningRate = 0.01,
  smoothing = 0.99,
  epsilon = 1e-8,
  weightDecay = 0,
  momentum = 0,
  centered = false,
}: RmspropOptions = {}): Optimizer {
  checkOption(smoothing, "smoothing", "rmsprop");
  checkOption(epsilon, "epsilon", "rmsprop");
  checkOption(weightDecay, "weightDecay", "rmsprop");
  checkOption(momentum, "momentum", "rmsprop");
  return leafwise<"square" | "mean" | "momentum">({
    name: "rmsprop",
    learningRate,
    moments: [
      "square",
      ...(centered ? ["mean" as const] : []),
      ...(momentum === 0 ? [] : ["momentum" as const]),
    ],
    advance(kernels, { n, w, g, next, square, mean = 0, momentum: b = 0 }, rate) {
      kernels.rmsprop(
        n,
        w,
        g,
        square,
        mean,
        b,
        weightDecay,
        smoothing,
        1 - smoothing,
        centered ? 1 : 0,
        epsilon,
        momentum,
        -rate,
        next,
      );
    },
  });
}
