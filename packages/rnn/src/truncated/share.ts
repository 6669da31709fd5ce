import { clone, detach, type Tensor, tree } from "@chronograd/autodiff";
import { type Region, within } from "@chronograd/autodiff/extend";
import type { Values } from "../cell.ts";
import type { ChunkedSegment } from "./chunked.ts";
import { meanTerms, objectiveOf } from "./objective.ts";
import type { Plan } from "./options.ts";
import type { Segment, Swept } from "./segment.ts";

/** What one worker has of a window: that of its own rows, before the sweep. */
export interface Share<Params, State> {
  readonly start: number;
  readonly newFrom: number;
  readonly end: number;
  /** The loss of each new step. */
  readonly losses: readonly number[];
  /** Tokens in the new losses. */
  readonly count: number;
  /** Tokens in the losses that the gradient is of. */
  readonly gradientCount: number;
  /** Sweeps, with all losses divided by a number of tokens: of all workers for their mean, 1 for the sum. */
  sweep(tokens: number, measure: boolean): Swept<Params>;
  /** Owns the window's tensors. */
  readonly region: Region;
  readonly entries: number;
  /** How the steps ran, in words. */
  explain(): string;
  readonly state: State;
}

/** The window that ends where `segment` is, with `losses` new steps; its tensors are made in `region`. */
export function shareOf<Params, State, X, Y, Target>(
  segment: Segment<Params, State, X, Y, Target> | ChunkedSegment<Params, State, X, Y, Target>,
  plan: Plan<State, Y, Target>,
  index: number,
  losses: readonly number[],
  region: Region,
  explain: () => string,
): Share<Values<Params>, Values<State>> {
  const end = segment.t;
  const newFrom = end - losses.length;
  const start = Math.max(0, end - plan.k2);
  const objective = objectiveOf(plan, segment, start, newFrom, end);
  let count = 0;
  for (let t = newFrom + 1; t <= end; t++) count += segment.countAt(t);
  const last = segment.state;
  return {
    start,
    newFrom,
    end,
    losses,
    count,
    gradientCount: objective.count,
    sweep: (tokens, measure) => segment.sweep(meanTerms(objective.terms, tokens), start, measure),
    region,
    entries: segment.entries,
    explain,
    get state() {
      if (region.ended !== undefined) {
        throw new Error(`truncated: the state of window ${index} is gone: ${region.ended}`);
      }
      return within(region, () => tree.map(last, (x: Tensor) => clone(detach(x)))) as Values<State>;
    },
  };
}
