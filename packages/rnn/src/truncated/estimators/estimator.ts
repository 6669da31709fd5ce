import { clone, type Tensor, tree } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import { checkState } from "../../checkState.ts";
import { advance } from "../../sequences/advance.ts";
import { startOf } from "../../startOf.ts";
import { atStep } from "../../stepErrors.ts";
import type { Engine, LocalGradients } from "../engines/engine.ts";
import type { LiveWindow } from "../live/liveWindow.ts";
import { checkModel } from "../live/retake.ts";
import type { StreamSettings, TruncatedSettings } from "../options.ts";
import { type Reading, type Source, stepIsOver } from "../source.ts";
import { checkUntracked, type Owned, type Term } from "../step.ts";

/**
 * A way to the gradients of a stream: reads steps, and yields windows of this worker's rows. It
 * returns all memory in `finally`, and after each `yield` what only that window needed.
 *
 * A new one is a file beside `carry.ts`, and its public function, made as `truncated` is:
 * ```text
 * export function chunked(cell, params, stream, options) {
 *   const where = "chunked";
 *   // Options of its own that must be given, and those that may be: it checks their values itself.
 *   const ofStream = streamSettings(where, options, ["every"], ["scale"]);
 *   const settings = { ...ofStream, every: options.every, scale: options.scale ?? 1 };
 *   const source = new Source(where, stream);
 *   return windowsOf(chunkedWindows, cell, params, source, settings);
 * }
 * ```
 * First `yield* begin(cell, settings, params(), source, region)` gives the state where windows
 * begin, and runs the burn-in; an estimator that does without it refuses `state` and `burnIn`. Each
 * window begins with `source.beginWindow()`, so that noise is drawn anew. Then
 * `yield* source.next()` gives its steps one by one, `undefined` at the end; or
 * `yield* source.fill(steps, count)` several, fewer at the end. Their inputs and targets are filled
 * where a row has no step. The `yield*` hands on promises where the stream is asynchronous;
 * otherwise nothing is yielded there. Who reads a step again later calls
 * `checkUnchanged(where, step, t)`, which throws if its values changed. `advance` and `takeStep`
 * run a step with its marks and noise; a learned initial state comes as the reset of the first
 * step.
 *
 * The region of each step that `source` gives belongs to the estimator, until `engine.take` took
 * the step and did not throw. The estimator ends all others in `finally`, with
 * `region.end(streamIsOver)`; to end one twice does no harm.
 *
 * `tests/truncated/estimator.test.ts` is a complete example, without an engine; it calls
 * `estimatorSuite`, which holds every estimator to this contract.
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

/** Windows, and promises on the way to them where the stream is asynchronous; see `Reading`. */
export type LocalWindows<Params, State> = Generator<
  LocalWindow<Values<Params>, Values<State>> | Promise<unknown>,
  void,
  unknown
>;

/** The window of one worker's rows, before the sums over all workers. */
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
  /** What an adaptive k2 measures. */
  lags?(): readonly number[];
  /** Entries on the tape. */
  readonly entries: number;
  /** How the steps run by now, in words. */
  explain(): string;
  /** The state after step `end`. */
  readonly state: State;
  /**
   * What a later process needs to go on after this window, of index `index`; absent where an
   * estimator cannot.
   */
  live?(index: number): LiveWindow;
}

/** The window that ends where `engine` is, after new steps with these losses. */
export function localWindow<Params, State, X, Target>(
  engine: Engine<Params, State, X, Target>,
  settings: Pick<
    TruncatedSettings<never, never, never>,
    "k1" | "k2" | "adaptive" | "losses" | "multiplicity" | "burnIn"
  >,
  losses: readonly number[],
): LocalWindow<Values<Params>, Values<State>> {
  const { k1, adaptive, losses: which, multiplicity, burnIn } = settings;
  const k2 = adaptive?.next(k1) ?? settings.k2;
  const end = engine.t;
  const newFrom = end - losses.length;
  const start = Math.max(engine.start, end - k2);
  let count = 0;
  for (let t = newFrom + 1; t <= end; t++) count += engine.countAt(t);
  /** The losses that the gradient is of, and their tokens. */
  const terms: Term[] = [];
  let gradientCount = 0;
  const first = which === "new" ? newFrom + 1 : which === "endpoint" ? end : start + 1;
  for (let t = first; t <= end; t++) {
    terms.push({ t, weight: multiplicity ? 1 / windowsWith(t - burnIn, k1, k2) : 1 });
    gradientCount += engine.countAt(t);
  }
  const { entries, state } = engine;
  return {
    start,
    newFrom,
    end,
    losses,
    count,
    gradientCount,
    gradients: (tokens, measure) => {
      const means = terms.map(({ t, weight }) => ({ t, weight: mean(weight, tokens) }));
      return engine.sweep(means, start, measure);
    },
    lags: () => adaptive!.measure(engine, newFrom),
    entries,
    explain: () => engine.explain(),
    state,
  };
}

/**
 * In how many windows step `t` (from 1) of an endless stream lies: those whose end `j k1` is at
 * least `t` and less than `t + k2`.
 */
function windowsWith(t: number, k1: number, k2: number): number {
  return Math.ceil((t + k2) / k1) - Math.ceil(t / k1);
}

/** A sum over `count` tokens as a mean; 0 over none. */
export function mean(sum: number, count: number): number {
  return count === 0 ? 0 : sum / count;
}

/** Where windows begin: the state there, and the steps before it. */
export interface Beginning<State> {
  readonly state: State;
  readonly start: number;
}

/**
 * The state where windows begin: of a live window; as given; or the model's for as many rows as the
 * input has; then after the burn-in, whose steps run here, without a tape and without losses.
 *
 * @param place owns the state
 */
export function* begin<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  { where, state: given, burnIn, resumed }: StreamSettings<State, Y, Target>,
  params: Values<Params>,
  source: Source<X, Target>,
  place: Region,
): Reading<Beginning<Values<State>>> {
  if (resumed !== undefined) {
    checkModel(where, resumed, cell, params);
    return { state: resumed.states[0] as Values<State>, start: resumed.start };
  }
  const ahead = yield* source.peek();
  if (ahead === undefined) throw new RangeError(`${where}: the stream has no steps`);
  checkUntracked(where, "the state", given);
  if (given !== undefined) checkState(`${where}: the state`, given, cell.state);
  const state = within(place, () => {
    const { input } = ahead.value;
    return given ?? startOf(cell, params, input, where);
  });
  if (burnIn === 0) return { state, start: 0 };
  let last: Owned<Values<State>> = { value: state, region: new Region() };
  try {
    for (let t = 1; t <= burnIn; t++) {
      const step = yield* source.next();
      if (step === undefined) throw tooShort(where, t - 1, burnIn);
      const region = new Region();
      try {
        const value = within(step.region, () => {
          const run = () => advance(cell, params, step.value.input, step.value, last.value).next;
          const next = atStep(`${where}: step`, t, run);
          return within(region, () => tree.map(next, (x: Tensor) => clone(x))) as Values<State>;
        });
        last.region.end(stepIsOver);
        last = { value, region };
      } finally {
        step.region.end(stepIsOver);
        if (last.region !== region) region.end(stepIsOver);
      }
    }
    if ((yield* source.peek()) === undefined) throw tooShort(where, burnIn, burnIn);
    const warm = within(place, () => tree.map(last.value, (x: Tensor) => clone(x)));
    return { state: warm as Values<State>, start: burnIn };
  } finally {
    last.region.end(stepIsOver);
  }
}

function tooShort(where: string, steps: number, burnIn: number): RangeError {
  return new RangeError(
    `${where}: the stream ended after ${steps} ${steps === 1 ? "step" : "steps"}, and burnIn is ${burnIn}; a stream needs at least one step after the burn-in`,
  );
}
