import type { Tensor } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { carry } from "./estimators/carry.ts";
import { defer } from "./estimators/defer.ts";
import type { Estimator } from "./estimators/estimator.ts";
import { over } from "./estimators/over.ts";
import { recompute } from "./estimators/recompute.ts";
import { type TruncatedOptions, truncatedSettings } from "./options.ts";
import { Source } from "./source.ts";
import type { AsyncStepSource, StepSource } from "./stream.ts";
import { type Window, type Windows, windowsOf } from "./window.ts";

/**
 * Truncated back-propagation through time for any k1 <= k2, as a stream of windows.
 *
 * Window j ends at step `e_j = min(j k1, T)`. Its gradient is that of the losses of its new steps
 * `e_{j-1} < t <= e_j`, with the state at `s_j = max(0, e_j - k2)` held constant (Williams & Peng
 * 1990, BPTT(k2; k1)). The short window at the end is always there. At most k2 steps are on the
 * tape, however long the stream.
 *
 * @param cell the model: a cell, or a `sequential` of cells and layers
 * @param params its parameters. After `applyUpdates` consumed them, the stream goes on with what it
 *   returned; otherwise pass a function that returns the present ones
 * @param stream steps `{ input, target, reset?, mask? }`, any iterable; or a whole sequence
 *   `{ inputs, targets, lengths?, mask?, resets?, context? }` of time-major tensors
 * @returns windows; where the steps come from an async iterable, an async generator of them
 * @throws for k2 < k1 or another bad option, a stream without steps, a loss that is not finite
 *   (naming the step), rows that differ, and values that a tape around the stream tracks:
 *   derivatives are for `unroll`. What a step or a loss throws names the step and is the `cause`
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { applyUpdates, init, rng, sgd } from "@chronograd/nn";
 * import { defineCell, initialParams, truncated } from "@chronograd/rnn";
 *
 * const cell = defineCell({
 *   params: ({ input, hidden }) => ({
 *     W: init.glorot(input, hidden),
 *     U: init.glorot(hidden, hidden),
 *   }),
 *   state: ({ hidden }) => ({ h: init.zeros(hidden) }),
 *   step: ({ W, U }, x, { h }) => {
 *     const next = x.matmul(W).add(h.matmul(U)).tanh();
 *     return [next, { h: next }];
 *   },
 * })({ input: 1, hidden: 2 });
 * let params = initialParams(cell, rng(1));
 * const optimizer = sgd({ learningRate: 0.1 });
 * let state = optimizer.init(params);
 * const target = tensor([[0, 0]]);
 * const steps = [1, 2, 3, 4, 5].map((x) => ({ input: tensor([[x]]), target }));
 * const windows = truncated(cell, params, steps, {
 *   k1: 2,
 *   k2: 3,
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * const ends: number[] = [];
 * for (const window of windows) {
 *   const [updates, next] = optimizer.update(window.gradients, state, params);
 *   params = applyUpdates(params, updates);
 *   state = next;
 *   ends.push(window.end);
 * }
 * ends; // => [2, 4, 5]
 * ```
 */
export function truncated<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: AsyncStepSource<X, Target>,
  options: TruncatedOptions<State, Y, Target>,
): AsyncGenerator<Window<Values<Params>, Values<State>>, void>;
export function truncated<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target>,
  options: TruncatedOptions<State, Y, Target>,
): Generator<Window<Values<Params>, Values<State>>, void>;
export function truncated<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target> | AsyncStepSource<X, Target>,
  options: TruncatedOptions<State, Y, Target>,
): Windows<Values<Params>, Values<State>> | AsyncGenerator<Window<Values<Params>, Values<State>>> {
  // All that can be wrong with the arguments throws here, at the call, not at the first window.
  checkCell("truncated", cell, "step", "run whole sequences with unroll, and differentiate that");
  const settings = truncatedSettings(options);
  const { where, stale, resumed } = settings;
  const source = new Source(where, stream);
  const estimator: Estimator<Params, State, X, Y, Target> =
    resumed?.isOver === true ? over : { carry, recompute, defer }[stale];
  return windowsOf(estimator, cell, params, source, settings);
}
