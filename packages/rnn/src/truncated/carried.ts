import { Region, within } from "@chronograd/autodiff/extend";
import type { Cell, Values } from "../cell.ts";
import { type Feed, present, stateFor } from "./feed.ts";
import type { Plan } from "./options.ts";
import { Segment } from "./segment.ts";
import { sweepWindow, type Window, windowIsOver } from "./window.ts";

/**
 * Windows over one tape that goes on: the overlap of two windows is swept with the weights of the time when it was
 * recorded.
 */
export function* carried<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  feed: Feed<X, Target>,
  plan: Plan<State, Y, Target>,
): Generator<Window<Values<Params>, Values<State>>, void> {
  let segment: Segment<Params, State, X, Y, Target> | undefined;
  let region = new Region(true);
  try {
    for (let index = 0; ; index++) {
      const losses: number[] = [];
      while (losses.length < plan.k1) {
        const pulled = feed.next();
        if (pulled === undefined) break;
        const today = present(params);
        segment ??= within(region, () => {
          return new Segment(cell, plan, stateFor(cell, plan, today, pulled.step.input), 0);
        });
        if (losses.length === 0) segment.use(today);
        losses.push(segment.take(pulled.step, pulled.region));
      }
      if (segment === undefined) throw new RangeError("truncated: the stream has no steps");
      if (losses.length === 0) return;
      const current = segment;
      yield within(region, () => sweepWindow(current, plan, index, losses, region));
      region.end(windowIsOver);
      region = new Region(true);
    }
  } finally {
    region.end(windowIsOver);
    segment?.end();
  }
}
