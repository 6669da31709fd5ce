import { Region, within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import { chooseEngine } from "../engines/choosing.ts";
import type { Engine } from "../engines/engine.ts";
import type { TruncatedSettings } from "../options.ts";
import { type Source, stepIsOver, streamIsOver } from "../source.ts";
import type { Owned, TimeStep } from "../step.ts";
import { firstState, type LocalWindows, localWindow } from "./estimator.ts";

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
  const { where, k1 } = settings;
  /** Owns the state before the first step until the second window. */
  const first = new Region();
  let engine: Engine<Params, State, X, Target> | undefined;
  /** Steps that were read and not taken: no engine ends their regions. */
  let steps: Owned<TimeStep<X, Target>>[] = [];
  try {
    for (;;) {
      source.fill(steps, 1);
      const [step] = steps;
      if (step === undefined) {
        if (engine === undefined) throw new RangeError(`${where}: the stream has no steps`);
        engine.finish();
        return;
      }
      const present = params();
      engine ??= within(first, () => {
        const state = firstState(cell, settings, present, step.value.input);
        return chooseEngine(cell, settings, state);
      });
      const losses: number[] = [];
      while (steps.length > 0) {
        source.fill(steps, engine.stepsAtOnce);
        losses.push(...engine.take(present, steps));
        steps = [];
        if (losses.length < k1) source.fill(steps, 1);
      }
      yield localWindow(engine, settings, losses);
      first.end(stepIsOver);
    }
  } finally {
    first.end(stepIsOver);
    for (const { region } of steps) region.end(streamIsOver);
    engine?.end();
  }
}
