import { Region, within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import { chooseEngine } from "../engines/choosing.ts";
import type { Engine } from "../engines/engine.ts";
import { liveWindow } from "../live/liveWindow.ts";
import { retake } from "../live/retake.ts";
import type { TruncatedSettings } from "../options.ts";
import { type Source, stepIsOver, streamIsOver } from "../source.ts";
import type { Owned, PreparedStep } from "../step.ts";
import { begin, type LocalWindows, localWindow } from "./estimator.ts";

/**
 * One engine for the whole stream: the overlap of two windows is swept with the weights of the time
 * when it was run.
 */
export function* carry<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: () => Values<Params>,
  source: Source<X, Target>,
  settings: TruncatedSettings<State, Y, Target>,
): LocalWindows<Params, State> {
  const { where, k1, resumed } = settings;
  /** Owns the state before the first step until the second window. */
  const first = new Region();
  let engine: Engine<Params, State, X, Target> | undefined;
  /** Steps that were read and not taken: no engine ends their regions. */
  let steps: Owned<PreparedStep<X, Target>>[] = [];
  try {
    const { state, start } = yield* begin(cell, settings, params(), source, first);
    engine = within(first, () => chooseEngine(cell, settings, state, start, resumed?.reason));
    if (resumed !== undefined) retake(where, engine, params(), resumed);
    for (;;) {
      source.beginWindow();
      yield* source.fill(steps, 1);
      if (steps.length === 0) {
        engine.finish();
        return;
      }
      const present = params();
      const losses: number[] = [];
      while (steps.length > 0) {
        yield* source.fill(steps, engine.stepsAtOnce);
        losses.push(...engine.take(present, steps));
        steps = [];
        if (losses.length < k1) yield* source.fill(steps, 1);
      }
      const past = () => engine!.past();
      const window = localWindow(engine, settings, losses);
      yield { ...window, live: (index) => liveWindow(settings, params(), index, window.end, past) };
      first.end(stepIsOver);
    }
  } finally {
    first.end(stepIsOver);
    for (const { region } of steps) region.end(streamIsOver);
    engine?.end();
  }
}
