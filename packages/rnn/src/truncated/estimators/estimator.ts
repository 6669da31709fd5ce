import { type Cell, initialState, type Values } from "../../cell.ts";
import { batchOf, likeParams } from "../../unroll.ts";
import type { Engine, LocalGradients } from "../engines/engine.ts";
import { meanTerms, objectiveOf } from "../objective.ts";
import type { StreamSettings, TruncatedSettings, TruncationOptions } from "../options.ts";
import type { Source } from "../source.ts";
import { checkUntracked } from "../step.ts";

/**
 * A way to the gradients of a stream: reads steps, and yields windows of this worker's rows. It
 * returns all memory in `finally`, and after each `yield` what only that window needed.
 *
 * A new one is a file of its own beside `carry.ts`. Its public function is made as `truncated` is:
 * it checks its options with `streamSettings`, and hands a `Source` and the estimator to
 * `windowsOf`.
 *
 * @param params gives the parameters as they are now
 * @param settings those of the stream, and its own
 */
export type Estimator<
  Params,
  State,
  X,
  Y,
  Target,
  Settings = TruncatedSettings<State, Y, Target>,
> = (
  cell: Cell<Params, State, X, Y>,
  params: () => Values<Params>,
  source: Source<X, Target>,
  settings: Settings,
) => LocalWindows<Params, State>;

export type LocalWindows<Params, State> = Generator<
  LocalWindow<Values<Params>, Values<State>>,
  void
>;

/** What one worker has of a window: that of its own rows, before the sum over all workers. */
export interface LocalWindow<Params, State> {
  readonly start: number;
  readonly newFrom: number;
  readonly end: number;
  /** The loss of each new step. */
  readonly losses: readonly number[];
  /** Tokens in the new losses. */
  readonly count: number;
  /** Tokens in the losses that the gradient is of. */
  readonly gradientCount: number;
  /**
   * The gradients, with all losses divided by a number of tokens: of all workers for their mean, 1
   * for the sum. Called once at most, before the next window is asked for.
   */
  gradients(tokens: number, measure: boolean): LocalGradients<Params>;
  /** Entries on the tape. */
  readonly entries: number;
  /** How the steps run by now, in words. */
  explain(): string;
  /** The state after step `end`. */
  readonly state: State;
}

/** The window that ends where `engine` is, after new steps with these losses. */
export function localWindow<Params, State, X, Target>(
  engine: Engine<Params, State, X, Target>,
  truncation: TruncationOptions,
  losses: readonly number[],
): LocalWindow<Values<Params>, Values<State>> {
  const end = engine.t;
  const newFrom = end - losses.length;
  const start = Math.max(0, end - truncation.k2);
  const objective = objectiveOf(truncation, engine, start, newFrom, end);
  let count = 0;
  for (let t = newFrom + 1; t <= end; t++) count += engine.countAt(t);
  const { entries, state } = engine;
  return {
    start,
    newFrom,
    end,
    losses,
    count,
    gradientCount: objective.count,
    gradients: (tokens, measure) =>
      engine.sweep(meanTerms(objective.terms, tokens), start, measure),
    entries,
    explain: () => engine.explain(),
    state,
  };
}

/** The state before the first step: as given, or the model's for as many rows as the input has. */
export function firstState<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  { where, state }: StreamSettings<State, Y, Target>,
  params: Values<Params>,
  input: X,
): Values<State> {
  checkUntracked(where, "the state", state);
  return state ?? initialState(cell, batchOf(input, where), likeParams(params));
}
