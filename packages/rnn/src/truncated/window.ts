import { type MapTree, type Tensor, tree } from "@chronograd/autodiff";
import { mean } from "./objective.ts";
import type { Plan } from "./options.ts";
import type { Share } from "./share.ts";

/** Why a window's tensors are gone. */
export const windowIsOver = "its window is over; clone() what should outlive the window";

/**
 * One window of a stream: steps `start < t <= end`, of which those after `newFrom` are new. Its tensors live until
 * the next window is asked for, or the stream is dropped with all of them; `clone()` what should live longer. With a communicator, all but the state and `entries`
 * is of all workers' rows.
 */
export interface Window<Params, State> {
  /** Windows before this one. */
  readonly index: number;
  /** s_j: steps before the state that is held constant. */
  readonly start: number;
  /** e_{j-1}: steps before the new ones. */
  readonly newFrom: number;
  /** e_j: the last step. */
  readonly end: number;
  /** The gradient of the window's objective, in the structure of the parameters. */
  readonly gradients: MapTree<Params, Tensor>;
  /** The loss of each new step, summed over its elements. Every step of a stream is new once. */
  readonly losses: readonly number[];
  /** The new losses, added up; divided by `count` when the reduction is `"mean"`. */
  readonly loss: number;
  /** Tokens in the new losses. */
  readonly count: number;
  /** Tokens in the losses that the gradient is of. */
  readonly gradientCount: number;
  readonly reduction: "sum" | "mean";
  /** Entries on the tape when the window was swept; 0 where its steps ran as plans. */
  readonly entries: number;
  /**
   * Euclidean norm of the gradient by the state before each step `start + 1 ... end`, where it was asked for. The
   * first is the gradient at the cut: how much the truncation leaves out.
   */
  readonly stateGradientNorms?: readonly number[];
  /** The state after step `end`. */
  readonly state: State;
  /** How this worker's steps run by now, in words: the plan, or why there is none. */
  explain(): string;
}

type How = Pick<Plan<never, never, never>, "communicator" | "reduction" | "measure">;

/** The window of all workers' rows, from each one's share of it. `keep` is told of the window and its tensors. */
export function wholeWindow<Params, State>(
  share: Share<Params, State>,
  { communicator, reduction, measure }: How,
  index: number,
  keep: (held: object) => void,
): Window<Params, State> {
  const { start, newFrom, end, entries } = share;
  const own = { losses: share.losses, count: share.count, gradientCount: share.gradientCount };
  const { losses, count, gradientCount } = communicator.allReduce(own);
  // A sum is a mean over one. Weights are those of all workers before the sweep, so what they sweep adds up.
  const over = (tokens: number) => (reduction === "mean" ? tokens : 1);
  const swept = share.sweep(over(gradientCount), measure?.(index) ?? false);
  const { gradients, squares } = communicator.allReduce(swept);
  const total = losses.reduce((a, b) => a + b, 0);
  tree.leaves(gradients).forEach(keep);
  const window: Window<Params, State> = {
    index,
    start,
    newFrom,
    end,
    gradients,
    losses,
    loss: mean(total, over(count)),
    count,
    gradientCount,
    reduction,
    entries,
    ...(squares && { stateGradientNorms: squares.map(Math.sqrt) }),
    explain: () => share.explain(),
    get state() {
      const { state } = share;
      tree.leaves(state).forEach(keep);
      return state;
    },
  };
  keep(window);
  return window;
}
