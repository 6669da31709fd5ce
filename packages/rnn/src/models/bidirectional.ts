import { concat, named, scope, type Tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { checkChoice } from "../checkChoice.ts";
import { refuseBytes } from "../loop/options.ts";
import { rememberMaking } from "../making.ts";
import { type SequenceModel, type UnrollOptions, unroll } from "../unroll.ts";
import { refuseBurnIn } from "./inTurn.ts";

/** How the outputs of both directions become one. */
export type Merge = "concat" | "sum" | "mean" | "product";

/** How `bidirectional` runs. */
export interface BidirectionalOptions<Params, State, X, Y> {
  /**
   * The cell that runs in reverse; one like the forward cell, with its own parameters, unless
   * given.
   */
  readonly backward?: Cell<Params, State, X, Y>;
  /**
   * The outputs of a step side by side along their last axis (the default), their sum, mean or
   * product.
   */
  readonly merge?: Merge;
}

/** A value of the cell that runs forwards, and one of the cell that runs in reverse. */
export interface Directions<Forward, Backward> {
  readonly forward: Forward;
  readonly backward: Backward;
}

/** Outputs `[T, B, ...]` of both directions as one. */
const merges: Record<Merge, (forward: Tensor, backward: Tensor) => Tensor> = {
  concat: (forward, backward) => concat([forward, backward], -1),
  sum: (forward, backward) => forward.add(backward),
  mean: (forward, backward) => forward.add(backward).mul(0.5),
  product: (forward, backward) => forward.mul(backward),
};

/** Backward states that `unroll` returned: where a sequence began, so nothing goes on from them. */
const ended = new WeakSet<object>();

/**
 * Two cells over a sequence, one forwards and one in reverse, whose outputs are merged at each step
 * (Schuster & Paliwal 1997, Bidirectional recurrent neural networks). Each has its own parameters.
 * `state` of `unroll` is that before the first step of each direction.
 *
 * It needs the whole sequence, so it has no step: `unroll`, `stacked` and `sequential` take it, and
 * `truncated` refuses it.
 *
 * @throws for what is no cell, an unknown merge, and outputs that cannot be merged; in `unroll` for
 *   a backward state that an earlier `unroll` ended with
 *
 * @example
 * ```ts
 * import { zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { bidirectional, initialParams, lstm, unroll } from "@chronograd/rnn";
 *
 * const model = bidirectional(lstm({ input: 3, hidden: 5 }));
 * const params = initialParams(model, rng(1));
 * const { outputs, state } = unroll(model, params, zeros([7, 2, 3]));
 * [outputs.shape, state.backward.h.shape]; // => [[7, 2, 10], [2, 5]]
 * ```
 */
export function bidirectional<
  Params,
  State,
  X = Tensor,
  Y = Tensor,
  BackwardParams = Params,
  BackwardState = State,
>(
  cell: Cell<Params, State, X, Y>,
  options: BidirectionalOptions<BackwardParams, BackwardState, X, Y> = {},
): SequenceModel<Directions<Params, BackwardParams>, Directions<State, BackwardState>, Y> {
  const where = "bidirectional";
  checkOptions(where, options, ["backward", "merge"]);
  const { merge = "concat" } = options;
  const backward =
    options.backward ?? (cell as unknown as Cell<BackwardParams, BackwardState, X, Y>);
  checkCell(where, cell, "step", "give a cell, and stack the models with stacked([...])");
  checkCell(where, backward, "step", "give a cell, and stack the models with stacked([...])");
  checkChoice(where, "merge", merge, Object.keys(merges));
  type Both = Directions<State, BackwardState>;
  const model: ReturnType<
    typeof bidirectional<Params, State, X, Y, BackwardParams, BackwardState>
  > = {
    params: { forward: cell.params, backward: backward.params },
    state: { forward: cell.state, backward: backward.state },
    noise: { forward: cell.noise, backward: backward.noise },
    ...(cell.input && { input: cell.input }),
    unroll: (params, inputs, { state, burnIn = 0, ...rest }: UnrollOptions<Both> = {}) =>
      scope(() => {
        refuseBurnIn(burnIn);
        refuseBytes(where, rest.memory);
        const before = state as Directions<Values<State>, Values<BackwardState>> | undefined;
        const own = params as Directions<Values<Params>, Values<BackwardParams>>;
        if (ended.has(Object(before?.backward))) {
          throw new TypeError(
            `unroll: the backward state of ${where} is where an earlier unroll ended, at the first step of its sequence; carry the forward state alone: { state: { forward: state.forward, backward: initialState(cell, batch) } }`,
          );
        }
        const { reverse = false } = rest;
        const there = named("forward", () =>
          unroll(cell, own.forward, inputs as Tensor, {
            ...rest,
            ...(before && { state: before.forward }),
          }),
        );
        const back = named("backward", () =>
          unroll(backward, own.backward, inputs as Tensor, {
            ...rest,
            ...(before && { state: before.backward }),
            reverse: !reverse,
          }),
        );
        // Not the object that was given, which a cell may return.
        const last = tree.map(back.state, (x: Tensor) => x);
        ended.add(Object(last));
        const outputs = tree.zip(there.outputs, back.outputs, (a, b) => merged(merge, a, b));
        return {
          outputs: outputs as typeof there.outputs,
          state: { forward: there.state, backward: last } as unknown as Values<Both>,
        };
      }),
  };
  // PyTorch has no other way to merge.
  const making = { by: bidirectional, parts: { forward: cell, backward } };
  return rememberMaking(model, merge === "concat" ? making : undefined);
}

function merged(merge: Merge, forward: Tensor, backward: Tensor): Tensor {
  const [a, b] = [forward.shape, backward.shape];
  const own = merge === "concat" ? -1 : undefined;
  const isLike = a.slice(0, own).join() === b.slice(0, own).join() && a.length === b.length;
  // The first two axes are time and rows.
  if (isLike && (merge !== "concat" || a.length > 2)) return merges[merge](forward, backward);
  const needs =
    merge === "concat"
      ? "outputs that differ in their last axis only, which is not that of the rows"
      : 'outputs of one shape (merge "concat" takes others)';
  throw new RangeError(
    `bidirectional: merge "${merge}" needs ${needs}, got [${a}] forwards and [${b}] in reverse`,
  );
}
