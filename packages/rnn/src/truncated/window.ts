import { clone, detach, type MapTree, map, type Tensor } from "@chronograd/autodiff";
import { type Region, within } from "@chronograd/autodiff/extend";
import type { Values } from "../cell.ts";
import type { ChunkedSegment } from "./chunked.ts";
import { mean, meanTerms, objectiveOf } from "./objective.ts";
import type { Plan } from "./options.ts";
import type { Segment } from "./segment.ts";

/** Why a window's tensors are gone. */
export const windowIsOver = "its window is over; clone() what should outlive the window";

/**
 * One window of a stream: steps `start < t <= end`, of which those after `newFrom` are new. Its tensors live until
 * the next window is asked for; `clone()` what should live longer.
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
}

interface Swept<Params> {
  readonly gradients: MapTree<Values<Params>, Tensor>;
  readonly norms?: number[];
}

/** Sweeps the window that ends where `segment` is, with `losses` new steps; tensors are made in `region`. */
export function sweepWindow<Params, State, X, Y, Target>(
  segment: Segment<Params, State, X, Y, Target> | ChunkedSegment<Params, State, X, Y, Target>,
  plan: Plan<State, Y, Target>,
  index: number,
  losses: readonly number[],
  region: Region,
): Window<Values<Params>, Values<State>> {
  const end = segment.t;
  const newFrom = end - losses.length;
  const start = Math.max(0, end - plan.k2);
  const objective = objectiveOf(plan, segment, start, newFrom, end);
  const terms = plan.reduction === "mean" ? meanTerms(objective) : objective.terms;
  const measure = plan.measure?.(index) ?? false;
  const { gradients, norms }: Swept<Params> = segment.sweep(terms, start, measure);
  let count = 0;
  for (let t = newFrom + 1; t <= end; t++) count += segment.countAt(t);
  const total = losses.reduce((a, b) => a + b, 0);
  const last = segment.state;
  return {
    index,
    start,
    newFrom,
    end,
    gradients,
    losses,
    loss: plan.reduction === "mean" ? mean(total, count) : total,
    count,
    gradientCount: objective.count,
    reduction: plan.reduction,
    entries: segment.entries,
    ...(norms && { stateGradientNorms: norms }),
    get state() {
      if (region.ended !== undefined) {
        throw new Error(`truncated: the state of window ${index} is gone: ${region.ended}`);
      }
      return within(region, () => map(last, (x: Tensor) => clone(detach(x)))) as Values<State>;
    },
  };
}
