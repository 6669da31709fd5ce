import {
  type Backend,
  clone,
  type FloatDType,
  scope,
  type Tensor,
  tree,
} from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { initialize, type Rng, rng } from "@chronograd/nn";
import type { Values } from "./cell.ts";

/** Where new parameters and states live. */
export interface ValueOptions {
  /** float32 unless given. */
  readonly dtype?: FloatDType;
  readonly backend?: Backend;
}

export const valueOptions: readonly string[] = ["dtype", "backend"];

/** Where values live that go with others: the dtype and backend of their first float tensor. */
export function likeParams(params: unknown): ValueOptions {
  const first = tree.leaves(params).find((x) => x.dtype !== "int32");
  return first === undefined ? {} : { dtype: first.dtype as FloatDType, backend: first.backend };
}

/**
 * A cell's parameters, drawn from a random generator: each from a separate generator, named by its
 * path.
 *
 * @example
 * ```ts
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams } from "@chronograd/rnn";
 *
 * const cell = gru({ input: 3, hidden: 5 });
 * const params = initialParams(cell, rng(1), { dtype: "float64" });
 * [params.W.shape, params.W.dtype]; // => [[3, 15], "float64"]
 * ```
 */
export function initialParams<Params>(
  cell: { readonly params: Params },
  random: Rng,
  options: ValueOptions = {},
): Values<Params> {
  checkOptions("initialParams", options, valueOptions);
  return initialize(cell.params, random, options) as Values<Params>;
}

/**
 * A cell's state before the first step, for a batch of rows: every leaf of shape `s` becomes
 * `[batch, ...s]`.
 *
 * @throws when `batch` is not a whole number of at least 1, and for a learned initial state
 *
 * @example
 * ```ts
 * import { initialState, lstm } from "@chronograd/rnn";
 *
 * const { h, c } = initialState(lstm({ input: 3, hidden: 5 }), 2);
 * [h.shape, c.shape]; // => [[2, 5], [2, 5]]
 * ```
 */
export function initialState<State>(
  cell: { readonly state: State; readonly initial?: unknown },
  batch: number,
  options: ValueOptions = {},
): Values<State> {
  checkOptions("initialState", options, valueOptions);
  if (!Number.isInteger(batch) || batch < 1) {
    throw new RangeError(`initialState: batch must be a whole number of at least 1, got ${batch}`);
  }
  if (cell.initial !== undefined) {
    throw new TypeError(
      "initialState: the initial state of this cell is learned, so parameters decide it; leave the state out of unroll and truncated, or take cell.initial(params, batch)",
    );
  }
  return scope(() => {
    const rows = initialize(cell.state, rng(0, "state"), options);
    return tree.map(rows, (row: Tensor) => clone(row.broadcastTo([batch, ...row.shape])));
  }) as unknown as Values<State>;
}
