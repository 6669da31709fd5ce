import type { Cell, Values } from "../../cell.ts";
import type { Engine, EngineSettings } from "./engine.ts";
import { NotPlanned, PlanEngine } from "./plan.ts";
import { tapeEngine } from "./shardedTapes.ts";

/**
 * An engine that runs steps as plans for as long as that works, then on a tape.
 *
 * @param state the state after step `start`: 0 where the engine runs the whole stream
 * @param whyOnTape where the steps before ran on a tape, although plans were asked for: so do these
 */
export function chooseEngine<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  settings: EngineSettings<Y, Target>,
  state: Values<State>,
  start = 0,
  whyOnTape?: string,
): Engine<Params, State, X, Target> {
  const reason = whyOnTape ?? whyNoPlan(settings);
  if (reason !== undefined) return tapeEngine(cell, settings, state, start, reason);
  const planned = new PlanEngine(cell, settings, state, start);
  let engine: Engine<Params, State, X, Target> = planned;
  let plan: typeof planned | undefined = planned;
  return {
    start,
    get t() {
      return engine.t;
    },
    get state() {
      return engine.state;
    },
    get entries() {
      return engine.entries;
    },
    get stepsAtOnce() {
      return engine.stepsAtOnce;
    },
    take(params, steps) {
      try {
        return engine.take(params, steps);
      } catch (error) {
        if (plan === undefined || !(error instanceof NotPlanned)) throw error;
        plan.finish();
        engine = plan.onTape(error.message);
        plan.end();
        plan = undefined;
        return engine.take(params, steps);
      }
    },
    countAt: (t) => engine.countAt(t),
    sweep: (terms, start, measure) => engine.sweep(terms, start, measure),
    explain: () => engine.explain(),
    planLike: (params, steps) => planned.planLike(params, steps),
    past: () => engine.past(),
    finish: () => engine.finish(),
    end: () => engine.end(),
  };
}

/** Why the steps of a stream do not run as plans, in words; `undefined` where they may. */
function whyNoPlan({ compile, k1 }: EngineSettings<never, never>): string | undefined {
  if (!compile) return "compile is not true";
  if (!Number.isFinite(k1)) return "k1 is Infinity";
  return undefined;
}
