import { clone, type MapTree, map, type Tensor, zip } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/extend";
import type { Cell, Values } from "../cell.ts";
import { carried } from "./carried.ts";
import type { Feed } from "./feed.ts";
import { mean } from "./objective.ts";
import type { Plan } from "./options.ts";
import { canPlan, planned } from "./planned.ts";
import { type Window, windowIsOver } from "./window.ts";

/** The windows of a whole stream, their gradients added up: one window, so one update. */
export function* deferred<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  feed: Feed<X, Target>,
  plan: Plan<State, Y, Target>,
): Generator<Window<Values<Params>, Values<State>>, void> {
  const losses: number[] = [];
  let region = new Region(true);
  let last: Window<Values<Params>, Values<State>> | undefined;
  let sum: MapTree<Values<Params>, Tensor> | undefined;
  let state: Values<State> | undefined;
  let count = 0;
  let gradientCount = 0;
  try {
    const windows = canPlan(plan) ? planned : carried;
    for (const window of windows(cell, params, feed, { ...plan, reduction: "sum" })) {
      const next = new Region(true);
      within(next, () => {
        sum = (
          sum === undefined
            ? map(window.gradients, (g: Tensor) => clone(g))
            : zip(sum, window.gradients, (a, b) => (a.dtype === "int32" ? a : a.add(b)))
        ) as MapTree<Values<Params>, Tensor>;
        state = map(window.state, (x: Tensor) => clone(x)) as Values<State>;
      });
      region.end(windowIsOver);
      region = next;
      for (const loss of window.losses) losses.push(loss);
      count += window.count;
      gradientCount += window.gradientCount;
      last = window;
    }
    const scale = plan.reduction === "mean" ? mean(1, gradientCount) : 1;
    const total = losses.reduce((a, b) => a + b, 0);
    yield {
      index: 0,
      start: 0,
      newFrom: 0,
      end: last!.end,
      gradients: within(region, () =>
        scale === 1 ? sum! : map(sum!, (g: Tensor) => (g.dtype === "int32" ? g : g.mul(scale))),
      ) as MapTree<Values<Params>, Tensor>,
      losses,
      loss: plan.reduction === "mean" ? mean(total, count) : total,
      count,
      gradientCount,
      reduction: plan.reduction,
      entries: last!.entries,
      state: state!,
    };
  } finally {
    region.end(windowIsOver);
  }
}
