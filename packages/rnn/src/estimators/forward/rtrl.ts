import { type Tensor, zeros } from "@chronograd/autodiff";
import type { Cell, Values } from "../../cell.ts";
import type { Model } from "../../derivatives/model.ts";
import { unitCotangents } from "../../derivatives/transition.ts";
import type { AsyncStepSource, StepSource } from "../../truncated/stream.ts";
import type { Window, Windows } from "../../truncated/window.ts";
import { forwardWindows } from "./forwardWindows.ts";
import type { Influence } from "./influence.ts";
import type { ForwardOptions } from "./options.ts";

/**
 * Real-time recurrent learning: the exact gradient, carried forwards (Williams & Zipser 1989, "A
 * learning algorithm for continually running fully recurrent neural networks").
 *
 * After every step it holds `S = dh/dtheta` of each row, `[B, H, P]` for H components of the state
 * and P parameters, so that a loss reaches back to the first step of the stream, in memory that
 * does not grow with it. A step costs about `B H^2 P` multiplications and `B H` pullbacks. With
 * weights that stay, the windows of a stream add up to the gradient of full back-propagation
 * through time; where they are updated, S is that of the weights of each step's time.
 *
 * @param cell the model: a cell, or a `sequential` of cells and layers
 * @param params its parameters, as in `truncated`
 * @param stream steps, as in `truncated`
 * @returns windows, as those of `truncated`, whose gradients reach back to the beginning
 * @throws as `truncated`; where more memory is needed than `memory.bytes` allows, with what it
 *   takes; for a model whose state has no floats
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams } from "@chronograd/rnn";
 * import { rtrl } from "@chronograd/rnn/estimators";
 *
 * const cell = elman({ input: 1, hidden: 2 });
 * const params = initialParams(cell, rng(1));
 * const target = tensor([[0, 0]]);
 * const steps = [1, 2, 3, 4, 5].map((x) => ({ input: tensor([[x]]), target }));
 * const windows = rtrl(cell, params, steps, {
 *   k1: 2,
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * Array.from(windows, (window) => [window.start, window.end]); // => [[0, 2], [0, 4], [0, 5]]
 * ```
 */
export function rtrl<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: AsyncStepSource<X, Target>,
  options: ForwardOptions<State, Y, Target>,
): AsyncGenerator<Window<Values<Params>, Values<State>>, void>;
export function rtrl<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target>,
  options: ForwardOptions<State, Y, Target>,
): Generator<Window<Values<Params>, Values<State>>, void>;
export function rtrl<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target> | AsyncStepSource<X, Target>,
  options: ForwardOptions<State, Y, Target>,
): Windows<Values<Params>, Values<State>> | AsyncGenerator<Window<Values<Params>, Values<State>>> {
  return forwardWindows("rtrl", wholeInfluence, cell, params, stream, options, []);
}

/** S itself, `[B, H, P]`. */
function wholeInfluence(model: Model): Influence<Tensor> {
  const { rows: B, size: H, parameters: P, like, numberBytes } = model;
  return {
    signs: 0,
    // S of two steps, I, and the product.
    bytes: 4 * B * H * P * numberBytes,
    description: `S = dh/dtheta as a whole, [${B}, ${H}, ${P}]`,
    start: () => zeros([B, H, P], like),
    credit: (S, cotangent) =>
      cotangent
        .reshape([1, B * H])
        .matmul(S.reshape([B * H, P]))
        .reshape([P]),
    next: (S, transition) => {
      const I = transition.pullParams(unitCotangents(transition.before));
      return transition.jacobian().matmul(S).add(I);
    },
  };
}
