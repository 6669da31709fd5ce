import type { MapTree, Tensor } from "@chronograd/autodiff";

/**
 * How gradients become updates: two pure functions on trees (the contract of optax). Optimizers,
 * clipping and small links are of this kind; `chain` composes them; `applyUpdates` adds what comes
 * out to the parameters.
 *
 * The state is a plain tree of tensors: it is saved as a file, passed to a compiled step, and
 * copied like any other. `update` consumes the state that it is given, as `applyUpdates` consumes
 * parameters: go on with what it returned, and pass `clone`s to keep an old one. On values that a
 * tape tracks it computes with ops, so it can be differentiated, and consumes nothing. Nothing is
 * changed when it throws.
 *
 * Your own rule is an object with the two functions, written with ops. In a `chain`, whatever it
 * keeps outlives the window that it was computed in.
 *
 * @example
 * ```ts
 * import { type Tensor, tensor, tree } from "@chronograd/autodiff";
 * import { applyUpdates, chain, clipByGlobalNorm, type GradientTransformation } from "@chronograd/nn";
 *
 * // Steps of the sign of the average gradient.
 * const signOfAverage: GradientTransformation<{ average: unknown }> = {
 *   init: (params) => ({ average: tree.map(params, (w: Tensor) => w.mul(0)) }),
 *   update: (gradients, { average }) => {
 *     const next = tree.zip(gradients, average, (g, a) => a.mul(0.9).add(g.mul(0.1)));
 *     return [tree.map(next, (a: Tensor) => a.sign().mul(-0.01)) as typeof next, { average: next }];
 *   },
 * };
 * const optimizer = chain({ clip: clipByGlobalNorm(1), sign: signOfAverage });
 *
 * let params = { w: tensor([1, 2]) };
 * let state = optimizer.init(params);
 * const [updates, next] = optimizer.update({ w: tensor([3, -4]) }, state, params);
 * params = applyUpdates(params, updates);
 * state = next;
 * params.w.mul(100).round().toArray(); // => [99, 201]
 * state.clip.norm.item(); // => 5
 * ```
 */
export interface GradientTransformation<State = unknown> {
  /** The state before the first update. */
  init(params: unknown): State;
  /**
   * Updates from gradients, and the next state.
   *
   * @param gradients a tree of the structure of `params`
   * @param state what `init`, or the update before, returned
   * @param params the present parameters, as plain values
   */
  update<G>(
    gradients: G,
    state: State,
    params: unknown,
  ): [updates: MapTree<G, Tensor>, state: State];
  /**
   * `update` without consuming the state, so that a chain can do so once all its links succeeded.
   * Moments may be written in place only where `isLast`. @internal
   */
  step?<G>(
    gradients: G,
    state: State,
    params: unknown,
    isLast: boolean,
  ): [updates: MapTree<G, Tensor>, state: State];
}
