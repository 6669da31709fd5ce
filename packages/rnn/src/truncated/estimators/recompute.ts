import { clone, detach, type Tensor, tree } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import type { Engine } from "../engines/engine.ts";
import { TapeEngine } from "../engines/tape.ts";
import type { TruncatedSettings } from "../options.ts";
import { checkUnchanged, type Source, stepIsOver } from "../source.ts";
import type { Owned, TimeStep } from "../step.ts";
import { firstState, type LocalWindows, localWindow } from "./estimator.ts";

/**
 * An engine for each window, which runs the overlap again: from the stored state at s_j, with
 * today's weights. The states of the rerun replace the stored ones.
 */
export function* recompute<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: () => Values<Params>,
  source: Source<X, Target>,
  settings: TruncatedSettings<State, Y, Target>,
): LocalWindows<Params, State> {
  const { where, k1, k2, compile } = settings;
  const reason = compile
    ? 'stale is "recompute", which reruns steps on tapes'
    : "compile is not true";
  /** Step t of the stream, for those that a window may still need. */
  const steps = new Map<number, Owned<TimeStep<X, Target>>>();
  /** The state after step s, for those s where a window may begin. */
  const states = new Map<number, Owned<Values<State>>>();
  let end = 0;
  let engine: Engine<Params, State, X, Target> | undefined;
  try {
    for (;;) {
      const newFrom = end;
      while (end - newFrom < k1) {
        const step = source.next();
        if (step === undefined) break;
        steps.set(++end, step);
      }
      if (end === 0) throw new RangeError(`${where}: the stream has no steps`);
      if (end === newFrom) return;
      const present = params();
      if (newFrom === 0) {
        const { input } = steps.get(1)!.value;
        store(states, 0, () => firstState(cell, settings, present, input));
      }
      const start = Math.max(0, end - k2);
      const current = new TapeEngine(cell, settings, states.get(start)!.value, start, reason);
      engine = current;
      const losses: number[] = [];
      for (let t = start + 1; t <= end; t++) {
        const { value } = steps.get(t)!;
        checkUnchanged(where, value, t);
        const [loss] = current.take(present, [{ value, region: new Region() }]);
        if (t > newFrom) losses.push(loss!);
        // The next window ends at `end + 1` to `end + k1`, and begins `k2` before that, or at 0.
        if (t <= end + k1 - k2) store(states, t, () => current.state);
      }
      drop(states, end + 1 - k2);
      drop(steps, end + 2 - k2);
      yield localWindow(current, settings, losses);
      current.end();
    }
  } finally {
    engine?.end();
    drop(states, Infinity);
    drop(steps, Infinity);
  }
}

/** Keeps a copy of a state, in place of what was stored for that step before. */
function store<State>(states: Map<number, Owned<State>>, s: number, stateOf: () => State): void {
  const region = new Region();
  const value = within(region, () => tree.map(stateOf(), (x: Tensor) => clone(detach(x)))) as State;
  states.get(s)?.region.end(stepIsOver);
  states.set(s, { value, region });
}

/** Drops everything before `first`. */
function drop(kept: Map<number, Owned<unknown>>, first: number): void {
  for (const [t, { region }] of kept) {
    if (t >= first) continue;
    region.end(stepIsOver);
    kept.delete(t);
  }
}
