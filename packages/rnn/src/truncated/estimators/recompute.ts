import { clone, detach, type Tensor, tree } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import type { Engine } from "../engines/engine.ts";
import { tapeEngine } from "../engines/shardedTapes.ts";
import { liveWindow } from "../live/liveWindow.ts";
import { retakenSteps } from "../live/retake.ts";
import type { TruncatedSettings } from "../options.ts";
import { type Source, stepIsOver } from "../source.ts";
import type { Owned, PreparedStep } from "../step.ts";
import { checkUnchanged } from "../unchanged.ts";
import { begin, type LocalWindows, localWindow } from "./estimator.ts";

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
  const { where, k1, k2, compile, resumed } = settings;
  const reason = compile
    ? 'stale is "recompute", which reruns steps on tapes'
    : "compile is not true";
  /** Step t of the stream, for those that a window may still need. */
  const steps = new Map<number, Owned<PreparedStep<X, Target>>>();
  /** The state after step s, for those s where a window may begin. */
  const states = new Map<number, Owned<Values<State>>>();
  const first = new Region();
  let engine: Engine<Params, State, X, Target> | undefined;
  let own = settings;
  try {
    const { state, start: origin } = yield* begin(cell, settings, params(), source, first);
    store(states, origin, () => state);
    first.end(stepIsOver);
    let end = origin;
    if (resumed !== undefined) {
      for (const [i, then] of resumed.states.entries()) {
        store(states, origin + i, () => then as Values<State>);
      }
      for (const step of retakenSteps<X, Target>(resumed)) steps.set(++end, step);
    }
    for (;;) {
      const newFrom = end;
      source.beginWindow();
      while (end - newFrom < k1) {
        const step = yield* source.next();
        if (step === undefined) break;
        steps.set(++end, step);
      }
      if (end === newFrom) return;
      const present = params();
      const start = Math.max(origin, end - k2);
      const current = tapeEngine(cell, own, states.get(start)!.value, start, reason);
      engine = current;
      // The first window has told whether rows can be computed apart.
      own = { ...settings, sharding: { ...settings.sharding, isTrusted: true } };
      const losses: number[] = [];
      for (let t = start + 1; t <= end; t++) {
        const { value } = steps.get(t)!;
        checkUnchanged(where, value, t);
        const [loss] = current.take(present, [{ value, region: new Region() }]);
        if (t > newFrom) losses.push(loss!);
        // The next window ends at `end + 1` to `end + k1`, and begins `k2` before that, or at the
        // first.
        if (t <= end + k1 - k2) store(states, t, () => current.state);
      }
      drop(states, end + 1 - k2);
      drop(steps, end + 2 - k2);
      const window = localWindow(current, settings, losses);
      const past = () => ({
        states: Array.from(states.values(), ({ value }) => value),
        steps: Array.from(steps.values(), ({ value }) => ({ step: value, params: undefined })),
        planned: [],
        reason,
        shards: settings.sharding.shards || 1,
      });
      yield { ...window, live: (index) => liveWindow(settings, params(), index, window.end, past) };
      current.end();
    }
  } finally {
    first.end(stepIsOver);
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
