import { type AdamMoment, type AdamOptions, AdaptiveMoments } from "./adaptiveMoments.ts";
import { leafwise } from "./leafwise.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkOption } from "./rule.ts";

/**
 * `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`, and with `mhat = m / (1 - beta1^t)`,
 * `vhat = v / (1 - beta2^t)` in update `t`: `w -= rate mhat / (sqrt(vhat) + epsilon)` (Kingma & Ba 2015, Adam: a method
 * for stochastic optimization, algorithm 1). `weightDecay w` is added to the gradient. Formulas and defaults as
 * PyTorch.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { adam } from "@chronograd/nn";
 *
 * const optimizer = adam({ learningRate: 0.5 });
 * const w = optimizer.update(tensor([1, 1]), tensor([100, -0.01]));
 * w.mul(1000).round().toArray(); // => [500, 1500]
 * ```
 */
export function adam(options: AdamOptions = {}): Optimizer {
  const { learningRate = 1e-3, weightDecay = 0 } = options;
  checkOption(weightDecay, "weightDecay", "adam");
  const moments = new AdaptiveMoments(options, "adam");
  return leafwise<AdamMoment>({
    name: "adam",
    learningRate,
    moments: moments.names,
    advance: (kernels, update, rate, t) =>
      moments.advance(kernels, update, { decay: weightDecay, shrink: 1 }, rate, t),
  });
}
