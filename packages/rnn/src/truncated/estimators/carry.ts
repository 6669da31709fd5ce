import { Region, within } from "@chronograd/autodiff/extend";
import type { Cell } from "../../cell.ts";
import { ChoosingEngine } from "../engines/choosing.ts";
import type { Engine } from "../engines/engine.ts";
import type { TruncatedSettings } from "../options.ts";
import { type Source, streamIsOver } from "../source.ts";
import type { Owned, TimeStep } from "../step.ts";
import {
  firstState,
  type LocalWindows,
  localWindow,
  type ParamsOfStream,
  presentParams,
} from "./estimator.ts";

/**
 * One engine for the whole stream: the overlap of two windows is swept with the weights of the time
 * when it was run.
 */
export function* carry<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: ParamsOfStream<Params>,
  source: Source<X, Target>,
  settings: TruncatedSettings<State, Y, Target>,
): LocalWindows<Params, State> {
  const { where, k1 } = settings;
  /** Owns the state before the first step until the second window. */
  const first = new Region();
  let engine: Engine<Params, State, X, Target> | undefined;
  let steps: Owned<TimeStep<X, Target>>[] = [];
  try {
    for (;;) {
      steps = source.read(1);
      const [step] = steps;
      if (step === undefined) {
        if (engine === undefined) throw new RangeError(`${where}: the stream has no steps`);
        engine.finish();
        return;
      }
      const present = presentParams(where, params);
      engine ??= within(first, () => {
        const state = firstState(cell, settings, present, step.value.input);
        return new ChoosingEngine(cell, settings, state);
      });
      const losses: number[] = [];
      while (steps.length > 0) {
        steps.push(...source.read(engine.stepsAtOnce - steps.length));
        losses.push(...engine.take(present, steps));
        steps = losses.length < k1 ? source.read(1) : [];
      }
      yield localWindow(engine, settings, losses);
      first.end(streamIsOver);
    }
  } finally {
    first.end(streamIsOver);
    // Of steps that were read and, because something threw, not taken.
    for (const { region } of steps) region.end(streamIsOver);
    engine?.end();
  }
}
