import { type AdamOptions, type AdamState, adaptiveMoments } from "./adaptiveMoments.ts";
import type { GradientTransformation } from "./transformation.ts";

/**
 * As `adam`, with weight decay apart from the gradient: `w -= rate weightDecay w` before the step
 * (Loshchilov & Hutter 2019, Decoupled weight decay regularization, algorithm 2). Formulas and
 * defaults as PyTorch.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { adamW, applyUpdates } from "@chronograd/nn";
 *
 * const optimizer = adamW({ learningRate: 0.5, weightDecay: 0.5 });
 * const w = tensor([1, 1]);
 * const [update, state] = optimizer.update(tensor([100, -0.01]), optimizer.init(w), w);
 * applyUpdates(w, update).mul(1000).round().toArray(); // => [250, 1250]
 * state.step.item(); // => 1
 * ```
 */
export function adamW(options: AdamOptions = {}): GradientTransformation<AdamState> {
  return adaptiveMoments("adamW", options, { decay: 0, drift: options.weightDecay ?? 0.01 });
}
