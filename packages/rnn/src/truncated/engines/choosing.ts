import type { Cell, Values } from "../../cell.ts";
import type { Owned, Term, TimeStep } from "../step.ts";
import type { Engine, EngineSettings, LocalGradients } from "./engine.ts";
import { NotPlanned, PlanEngine } from "./plan.ts";
import { TapeEngine } from "./tape.ts";

/** Runs steps as plans for as long as that works, then on a tape. */
export class ChoosingEngine<Params, State, X, Y, Target>
  implements Engine<Params, State, X, Target>
{
  #engine: Engine<Params, State, X, Target>;
  /** The same engine while it runs plans. */
  #plan: PlanEngine<Params, State, X, Y, Target> | undefined;

  constructor(
    cell: Cell<Params, State, X, Y>,
    settings: EngineSettings<Y, Target>,
    state: Values<State>,
  ) {
    const reason = whyNoPlan(settings);
    if (reason === undefined) this.#plan = new PlanEngine(cell, settings, state);
    this.#engine = this.#plan ?? new TapeEngine(cell, settings, state, 0, reason!);
  }

  get t(): number {
    return this.#engine.t;
  }

  get state(): Values<State> {
    return this.#engine.state;
  }

  get entries(): number {
    return this.#engine.entries;
  }

  get stepsAtOnce(): number {
    return this.#engine.stepsAtOnce;
  }

  take(params: Values<Params>, steps: readonly Owned<TimeStep<X, Target>>[]): readonly number[] {
    try {
      return this.#engine.take(params, steps);
    } catch (error) {
      if (this.#plan === undefined || !(error instanceof NotPlanned)) throw error;
      this.#plan.finish();
      this.#engine = this.#plan.onTape(error.message);
      this.#plan.end();
      this.#plan = undefined;
      return this.#engine.take(params, steps);
    }
  }

  countAt(t: number): number {
    return this.#engine.countAt(t);
  }

  sweep(terms: readonly Term[], start: number, measure: boolean): LocalGradients<Values<Params>> {
    return this.#engine.sweep(terms, start, measure);
  }

  explain(): string {
    return this.#engine.explain();
  }

  finish(): void {
    this.#engine.finish();
  }

  end(): void {
    this.#engine.end();
  }
}

/** Why the steps of a stream do not run as plans, in words; `undefined` where they may. */
function whyNoPlan({ compile, k1 }: EngineSettings<never, never>): string | undefined {
  if (!compile) return "compile is not true";
  if (!Number.isFinite(k1)) return "k1 is Infinity";
  return undefined;
}
