import { type Tensor, zeros } from "@chronograd/autodiff";
import type { Cell, Values } from "../../cell.ts";
import type { Model } from "../../derivatives/model.ts";
import type { AsyncStepSource, StepSource } from "../../truncated/stream.ts";
import type { Window, Windows } from "../../truncated/window.ts";
import { balanced } from "./balance.ts";
import { forwardWindows } from "./forwardWindows.ts";
import type { Influence } from "./influence.ts";
import type { RandomForwardOptions } from "./options.ts";

/**
 * Unbiased online recurrent optimization: `S = dh/dtheta` as the mean of a product of two
 * vectors, `u v'` (Tallec & Ollivier 2018, "Unbiased online recurrent optimization").
 *
 * With random signs n, `u_t = r J u_{t-1} + q n` and `v_t = v_{t-1} / r + I' n / q`; the scales r
 * and q, which keep the variance least, are quotients of norms. Each row of the batch has its own
 * vectors: B (H + P) numbers. The gradient is unbiased as long as the weights stay, and noisy: its
 * variance grows with H. A step costs a push, and a pullback of each row.
 *
 * @param cell the model: a cell, or a `sequential` of cells and layers
 * @param params its parameters, as in `truncated`
 * @param stream steps, as in `truncated`
 * @returns windows, as those of `truncated`, whose gradients reach back to the beginning
 * @throws as `rtrl`, and without a generator for the signs
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams } from "@chronograd/rnn";
 * import { uoro } from "@chronograd/rnn/estimators";
 *
 * const cell = elman({ input: 1, hidden: 2 });
 * const params = initialParams(cell, rng(1));
 * const target = tensor([[0, 0]]);
 * const steps = [1, 2, 3].map((x) => ({ input: tensor([[x]]), target }));
 * const windows = uoro(cell, params, steps, {
 *   k1: 1,
 *   draws: rng(2, "uoro"),
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * Array.from(windows, (window) => window.end); // => [1, 2, 3]
 * ```
 */
export function uoro<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: AsyncStepSource<X, Target>,
  options: RandomForwardOptions<State, Y, Target>,
): AsyncGenerator<Window<Values<Params>, Values<State>>, void>;
export function uoro<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target>,
  options: RandomForwardOptions<State, Y, Target>,
): Generator<Window<Values<Params>, Values<State>>, void>;
export function uoro<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target> | AsyncStepSource<X, Target>,
  options: RandomForwardOptions<State, Y, Target>,
): Windows<Values<Params>, Values<State>> | AsyncGenerator<Window<Values<Params>, Values<State>>> {
  return forwardWindows("uoro", rankOneInfluence, cell, params, stream, options, ["draws"]);
}

interface RankOne {
  /** `[B, H]` */
  readonly u: Tensor;
  /** `[B, P]` */
  readonly v: Tensor;
}

function rankOneInfluence(model: Model): Influence<RankOne> {
  const { rows: B, size: H, parameters: P, like, numberBytes } = model;
  return {
    signs: B * H,
    bytes: numberBytes * B * (6 * H + 5 * P),
    description: `S = dh/dtheta as a product of two vectors of each row, [${H}] and [${P}]`,
    start: () => ({ u: zeros([B, H], like), v: zeros([B, P], like) }),
    credit: ({ u, v }, cotangent) => cotangent.mul(u).sum(1).matmul(v),
    next({ u, v }, transition, given) {
      const signs = given!.reshape([B, H]);
      const pushed = transition.push(u.reshape([1, B, H])).reshape([B, H]);
      const pulled = transition.pullParams(signs.reshape([1, B, H])).reshape([B, P]);
      const [earlierV, earlierU] = balanced(v, pushed);
      const [ownV, ownU] = balanced(pulled, signs);
      return { u: earlierU.add(ownU), v: earlierV.add(ownV) };
    },
  };
}
