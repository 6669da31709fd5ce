import { clone, type MapTree, type Tensor, tree } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/extend";
import type { Cell, Values } from "../cell.ts";
import { carried } from "./carried.ts";
import type { Feed } from "./feed.ts";
import { mean } from "./objective.ts";
import type { Plan } from "./options.ts";
import type { Share } from "./share.ts";
import { windowIsOver } from "./window.ts";

/** The windows of a whole stream, their gradients added up: one window, so one update. It is not measured. */
export function* deferred<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  feed: Feed<X, Target>,
  plan: Plan<State, Y, Target>,
): Generator<Share<Values<Params>, Values<State>>, void> {
  const losses: number[] = [];
  let region = new Region(true);
  let last: Share<Values<Params>, Values<State>> | undefined;
  let sum: MapTree<Values<Params>, Tensor> | undefined;
  let state: Values<State> | undefined;
  let count = 0;
  let gradientCount = 0;
  try {
    for (const window of carried(cell, params, feed, plan)) {
      const { gradients } = within(window.region, () => window.sweep(1, false));
      const next = new Region(true);
      within(next, () => {
        sum = (
          sum === undefined
            ? tree.map(gradients, (g: Tensor) => clone(g))
            : tree.zip(sum, gradients, (a, b) => (a.dtype === "int32" ? clone(a) : a.add(b)))
        ) as MapTree<Values<Params>, Tensor>;
        state = tree.map(window.state, (x: Tensor) => clone(x)) as Values<State>;
      });
      region.end(windowIsOver);
      region = next;
      for (const loss of window.losses) losses.push(loss);
      count += window.count;
      gradientCount += window.gradientCount;
      last = window;
    }
    yield {
      start: 0,
      newFrom: 0,
      end: last!.end,
      losses,
      count,
      gradientCount,
      sweep: (tokens) => {
        const scale = mean(1, tokens);
        if (scale === 1) return { gradients: sum! };
        const scaled = tree.map(sum!, (g: Tensor) => (g.dtype === "int32" ? g : g.mul(scale)));
        return { gradients: scaled as MapTree<Values<Params>, Tensor> };
      },
      region,
      entries: last!.entries,
      explain: () => last!.explain(),
      get state() {
        return within(region, () => tree.map(state!, (x: Tensor) => clone(x))) as Values<State>;
      },
    };
  } finally {
    region.end(windowIsOver);
  }
}
