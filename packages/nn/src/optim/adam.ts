import { type AdamOptions, type AdamState, adaptiveMoments } from "./adaptiveMoments.ts";
import type { GradientTransformation } from "./transformation.ts";

/**
 * `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`, and with
 * `mhat = m / (1 - beta1^t)`, `vhat = v / (1 - beta2^t)` in update `t`:
 * `w -= rate mhat / (sqrt(vhat) + epsilon)` (Kingma & Ba 2015, Adam: a method for stochastic
 * optimization, algorithm 1). `weightDecay w` is added to the gradient. Formulas and defaults as
 * PyTorch.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { adam, applyUpdates } from "@chronograd/nn";
 *
 * const optimizer = adam({ learningRate: 0.5 });
 * const w = tensor([1, 1]);
 * const [update, state] = optimizer.update(tensor([100, -0.01]), optimizer.init(w), w);
 * applyUpdates(w, update).mul(1000).round().toArray(); // => [500, 1500]
 * state.step.item(); // => 1
 * ```
 */
export function adam(options: AdamOptions = {}): GradientTransformation<AdamState> {
  return adaptiveMoments("adam", options, { decay: options.weightDecay ?? 0, drift: 0 });
}
