import { clone, detach, type MapTree, scope, type Tensor, tree } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import { addGradients } from "../engines/engine.ts";
import { liveWindow } from "../live/liveWindow.ts";
import type { TruncatedSettings } from "../options.ts";
import { nextOf, type Source, streamIsOver } from "../source.ts";
import { carry } from "./carry.ts";
import { type LocalWindow, type LocalWindows, mean } from "./estimator.ts";

/** The windows of `carry` as one, their gradients added up: so one update. It is not measured. */
export function* defer<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: () => Values<Params>,
  source: Source<X, Target>,
  settings: TruncatedSettings<State, Y, Target>,
): LocalWindows<Params, State> {
  const losses: number[] = [];
  let count = 0;
  let gradientCount = 0;
  let last: LocalWindow<Values<Params>, Values<State>> | undefined;
  let sums: MapTree<Values<Params>, Tensor>[] | undefined;
  let state: Values<State> | undefined;
  /** Owns the sum and the state. */
  let region = new Region();
  const windows = carry(cell, params, source, settings);
  try {
    for (;;) {
      const window = yield* nextOf(windows);
      if (window === undefined) break;
      const next = new Region();
      scope(() => {
        const { gradients } = window.gradients(1, false);
        within(next, () => {
          sums = gradients.map((gradient, shard) =>
            sums === undefined
              ? (tree.map(gradient, (g: Tensor) => clone(g)) as typeof gradient)
              : addGradients(sums[shard]!, gradient),
          );
          state = tree.map(window.state, (x: Tensor) => clone(detach(x))) as Values<State>;
        });
      });
      region.end(streamIsOver);
      region = next;
      for (const loss of window.losses) losses.push(loss);
      count += window.count;
      gradientCount += window.gradientCount;
      last = window;
    }
    yield {
      ...last!,
      start: settings.burnIn,
      newFrom: settings.burnIn,
      losses,
      count,
      gradientCount,
      gradients: (tokens) => {
        const scale = mean(1, tokens);
        const scaled = tree.map(sums!, (g: Tensor) =>
          scale === 1 || g.dtype === "int32" ? clone(g) : g.mul(scale),
        );
        return { gradients: scaled as typeof sums & object };
      },
      state: state!,
      live: (index) => liveWindow(settings, params(), index, last!.end),
    };
  } finally {
    windows.return();
    region.end(streamIsOver);
  }
}
