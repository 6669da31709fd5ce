import { Region, within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { type Feed, present, stateFor, streamIsOver, type ValueAndPullbacks } from "./feed.ts";
import type { Plan } from "./options.ts";
import { type Share, shareOf } from "./share.ts";
import { Stretch } from "./stretch.ts";
import { windowIsOver } from "./window.ts";

/**
 * Windows over one stretch that goes on: the overlap of two windows is swept with the weights of the time when it was
 * run.
 */
export function* carried<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  feed: Feed<X, Target>,
  plan: Plan<State, Y, Target>,
): Generator<Share<Values<Params>, Values<State>>, void> {
  let stretch: Stretch<Params, State, X, Y, Target> | undefined;
  let region = new Region(true);
  let pulled: ValueAndPullbacks<X, Target> | undefined;
  try {
    for (let index = 0; ; index++) {
      pulled = feed.next();
      if (pulled === undefined) {
        if (index === 0) throw new RangeError("truncated: the stream has no steps");
        stretch?.finish();
        return;
      }
      const { input } = pulled.step;
      const today = present(params);
      const current: Stretch<Params, State, X, Y, Target> =
        stretch ??
        within(region, () => new Stretch(cell, plan, stateFor(cell, plan, today, input)));
      stretch = current;
      const losses: number[] = [];
      while (pulled !== undefined) {
        losses.push(...current.take(today, pulled, feed));
        pulled = losses.length < plan.k1 ? feed.next() : undefined;
      }
      yield shareOf(current.segment, plan, index, losses, region, () => current.explain());
      region.end(windowIsOver);
      region = new Region(true);
    }
  } finally {
    region.end(windowIsOver);
    // Of a step that was pulled and, because something threw, not taken.
    pulled?.region.end(streamIsOver);
    stretch?.end();
  }
}
