import { clone, detach, type Tensor, tree } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/extend";
import type { Cell, Values } from "../cell.ts";
import { checkUnchanged, type Feed, present, stateFor, stepIsOver } from "./feed.ts";
import type { Plan, TimeStep } from "./options.ts";
import { onTape } from "./planning.ts";
import { Segment } from "./segment.ts";
import { type Share, shareOf } from "./share.ts";
import { windowIsOver } from "./window.ts";

/** A tree of values and the region that they live in. */
interface Kept<T> {
  readonly value: T;
  readonly region: Region;
}

/**
 * Windows that run their overlap again: from the stored state at s_j, with today's weights, on a tape of their own.
 * The states of the rerun replace the stored ones.
 */
export function* recomputed<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  feed: Feed<X, Target>,
  plan: Plan<State, Y, Target>,
): Generator<Share<Values<Params>, Values<State>>, void> {
  /** Step t of the stream, for those that a window may still need. */
  const steps = new Map<number, Kept<TimeStep<X, Target>>>();
  /** The state after step s, for those s where a window may begin. */
  const states = new Map<number, Kept<Values<State>>>();
  let region = new Region(true);
  let end = 0;
  let segment: Segment<Params, State, X, Y, Target> | undefined;
  try {
    for (let index = 0; ; index++) {
      const newFrom = end;
      while (end - newFrom < plan.k1) {
        const pulled = feed.next();
        if (pulled === undefined) break;
        end++;
        steps.set(end, { value: pulled.step, region: pulled.region });
      }
      if (end === 0) throw new RangeError("truncated: the stream has no steps");
      if (end === newFrom) return;
      const today = present(params);
      if (index === 0) {
        const { input } = steps.get(1)!.value;
        const first = new Region();
        const value = within(first, () => {
          return tree.map(stateFor(cell, plan, today, input), (x: Tensor) =>
            clone(x),
          ) as Values<State>;
        });
        states.set(0, { value, region: first });
      }
      const start = Math.max(0, end - plan.k2);
      const current = new Segment(cell, plan, states.get(start)!.value, start);
      segment = current;
      current.use(today);
      const losses: number[] = [];
      for (let t = start + 1; t <= end; t++) {
        const step = steps.get(t)!.value;
        checkUnchanged(step, t);
        const loss = current.take(step, new Region());
        if (t > newFrom) losses.push(loss);
      }
      // The next window ends at `end + 1` to `end + k1`, so it begins `k2` before one of these, or at 0.
      for (let s = start + 1; s <= end + plan.k1 - plan.k2; s++) {
        store(states, s, current.stateBefore(s + 1));
      }
      drop(states, end + 1 - plan.k2);
      drop(steps, end + 2 - plan.k2);
      yield shareOf(current, plan, index, losses, region, () => onTape(plan));
      region.end(windowIsOver);
      region = new Region(true);
      current.end();
    }
  } finally {
    region.end(windowIsOver);
    segment?.end();
    drop(states, Infinity);
    drop(steps, Infinity);
  }
}

/** Keeps a copy of a state, in place of what was stored for that step before. */
function store<State>(states: Map<number, Kept<State>>, s: number, state: State): void {
  const region = new Region();
  const value = within(region, () => tree.map(state, (x: Tensor) => clone(detach(x)))) as State;
  states.get(s)?.region.end(stepIsOver);
  states.set(s, { value, region });
}

/** Drops everything before `first`. */
function drop(kept: Map<number, Kept<unknown>>, first: number): void {
  for (const [t, { region }] of kept) {
    if (t >= first) continue;
    region.end(stepIsOver);
    kept.delete(t);
  }
}
