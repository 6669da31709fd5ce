import { type AdamMoment, type AdamOptions, AdaptiveMoments } from "./adaptiveMoments.ts";
import { leafwise } from "./leafwise.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkOption } from "./rule.ts";

/**
 * As `adam`, with weight decay apart from the gradient: `w -= rate weightDecay w` before the step (Loshchilov & Hutter
 * 2019, Decoupled weight decay regularization, algorithm 2). Formulas and defaults as PyTorch.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { adamW } from "@chronograd/nn";
 *
 * const optimizer = adamW({ learningRate: 0.5, weightDecay: 0.5 });
 * const w = optimizer.update(tensor([1, 1]), tensor([100, -0.01]));
 * w.mul(1000).round().toArray(); // => [250, 1250]
 * ```
 */
export function adamW(options: AdamOptions = {}): Optimizer {
  const { learningRate = 1e-3, weightDecay = 0.01 } = options;
  checkOption(weightDecay, "weightDecay", "adamW");
  const moments = new AdaptiveMoments(options, "adamW");
  return leafwise<AdamMoment>({
    name: "adamW",
    learningRate,
    moments: moments.names,
    advance: (kernels, update, rate, t) =>
      moments.advance(kernels, update, { decay: 0, shrink: 1 - rate * weightDecay }, rate, t),
  });
}
