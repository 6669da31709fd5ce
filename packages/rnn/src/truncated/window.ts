import { clone, compile, detach, type MapTree, type Tensor, tree } from "@chronograd/autodiff";
import { latest, Region, within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { beginOnAll, nextOnAll, reduceWindow, shardsOnAll } from "./agreement.ts";
import { wholeGradient } from "./engines/engine.ts";
import {
  type Estimator,
  type LocalWindow,
  type LocalWindows,
  mean,
} from "./estimators/estimator.ts";
import type { LiveWindow } from "./live/liveWindow.ts";
import type { AnyStreamSettings } from "./options.ts";
import { nextOf, type Reading, type Source } from "./source.ts";
import { checkUntracked, type Owned } from "./step.ts";

/**
 * One window of a stream: steps `start < t <= end`, of which those after `newFrom` are new. Its
 * tensors live until the next window is asked for, or the stream is dropped with all of them;
 * `clone()` what should live longer. With a communicator, all but the state and `entries` is of all
 * workers' rows.
 */
export interface Window<Params, State> {
  /** Windows before this one. */
  readonly index: number;
  /** s_j: steps before the state that is held constant. */
  readonly start: number;
  /** e_{j-1}: steps before the new ones. */
  readonly newFrom: number;
  /** e_j: the last step. */
  readonly end: number;
  /** The gradient of the window's objective, in the structure of the parameters. */
  readonly gradients: MapTree<Params, Tensor>;
  /** The loss of each new step, summed over its elements. Every step of a stream is new once. */
  readonly losses: readonly number[];
  /** The new losses, added up; divided by `count` when the reduction is `"mean"`. */
  readonly loss: number;
  /** Tokens in the new losses. */
  readonly count: number;
  /** Tokens in the losses that the gradient is of. */
  readonly gradientCount: number;
  readonly reduction: "sum" | "mean";
  /** Entries on the tape when the window was swept; 0 where its steps ran as plans. */
  readonly entries: number;
  /**
   * Euclidean norm of the gradient that arrives at the state before each step `start + 1 ... end`
   * from that step and the later ones, where it was asked for. The first is the gradient at the
   * cut: how much the truncation leaves out.
   */
  readonly stateGradientNorms?: readonly number[];
  /** The state after step `end`. */
  readonly state: State;
  /**
   * All that the stream needs to go on after this window, for a checkpoint: give it to `truncated`
   * as `resume`. Of this worker's rows; copied when it is asked for.
   *
   * @throws when the stream gave values that are gone or were changed since
   */
  readonly live: LiveWindow;
  /** How this worker's steps run by now, in words: the plan, or why there is none. */
  explain(): string;
}

/** A stream of windows: asynchronous where its steps are. */
export type Windows<Params, State> = Generator<Window<Params, State>, void>;

/** Ends streams whose next window nobody can ask for, and whose last one nobody can use. */
let dropped: FinalizationRegistry<{ return(): unknown }> | undefined;

/** The stream of each window and its tensors, which lasts as long as any of them is held. */
const streams = new WeakMap<object, object>();

/** The windows of all workers' rows, with an estimator's gradients. */
export function windowsOf<Params, State, X, Y, Target, Settings extends AnyStreamSettings>(
  estimator: Estimator<Params, State, X, Y, Target, Settings>,
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  source: Source<X, Target>,
  settings: Settings,
): Windows<Values<Params>, Values<State>> {
  const present = presentParams(params, settings.where);
  source.connect({ cell, params: present, settings });
  // Nothing that the estimator holds may lead to `windows`, or it would never be dropped.
  const own = owned(estimator(cell, present, source, settings));
  const all = agreed(own, source, settings, (held) => streams.set(held, windows));
  // Where the source is not asynchronous, no promise is on the way.
  const windows = (source.isAsync ? awaited(all, source) : all) as unknown as Windows<
    Values<Params>,
    Values<State>
  >;
  dropped ??= new FinalizationRegistry((rest) => rest.return());
  dropped.register(windows, own, own);
  return windows;
}

/** Gives the parameters: by the function, or what became of those that `applyUpdates` consumed. */
function presentParams<Values>(params: Values | (() => Values), where: string): () => Values {
  return () => {
    const present =
      typeof params === "function"
        ? (params as () => Values)()
        : (tree.map(params, (x: Tensor) => latest(x)) as Values);
    checkUntracked(where, "the parameter", present);
    return present;
  };
}

/** Each window with its own region, which ends when the next is asked for. */
function* owned<Params, State>(
  windows: LocalWindows<Params, State>,
): Generator<Owned<LocalWindow<Values<Params>, Values<State>>> | Promise<unknown>, void, unknown> {
  try {
    for (;;) {
      const value = yield* nextOf(windows);
      if (value === undefined) return;
      const region = new Region(true);
      try {
        yield { value, region };
      } finally {
        region.end("its window is over; clone() what should outlive the window");
      }
    }
  } finally {
    windows.return();
  }
}

/** Windows as they come: awaits what a generator waits for. */
async function* awaited<T>(
  windows: Generator<T | Promise<unknown>, void, unknown>,
  source: { readonly closing: Promise<unknown> | undefined },
): AsyncGenerator<T, void> {
  let failed = false;
  try {
    for (let each = windows.next(); each.done !== true; ) {
      const { value } = each;
      if (value instanceof Promise) {
        const came = await value.then(
          (result: unknown) => () => result,
          (error: unknown) => () => {
            throw error;
          },
        );
        each = windows.next(came);
      } else {
        yield value;
        each = windows.next();
      }
    }
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    windows.return();
    // As in `for await`: after a failure, one while closing is not told.
    await (failed ? source.closing?.catch(() => {}) : source.closing);
  }
}

/** Windows of all workers. `keep` is told of each, and of its tensors. */
function* agreed<Params, State>(
  own: Generator<Owned<LocalWindow<Params, State>> | Promise<unknown>, void, unknown>,
  source: Source<unknown, unknown>,
  settings: AnyStreamSettings,
  keep: (held: object) => void,
): Generator<Window<Params, State> | Promise<unknown>, void, unknown> {
  let failed = false;
  try {
    const { resumed } = settings;
    beginOnAll(settings);
    const first = resumed === undefined ? 0 : resumed.index + 1;
    const sum: typeof wholeGradient = settings.compile ? compile(wholeGradient) : wholeGradient;
    for (let index = first; ; index++) {
      const next = yield* attemptNext(own);
      const window = nextOnAll(next, settings, index);
      if (window === undefined) return;
      if (index === first) shardsOnAll(settings, window.value.state);
      yield windowOfAll(window, settings, index, sum, keep);
    }
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    dropped?.unregister(own);
    own.return();
    close(source, failed);
  }
}

/**
 * Closes a source; after a failure silently, as in a loop of JavaScript: the first error counts.
 */
function close(source: Source<unknown, unknown>, hasFailed: boolean): void {
  try {
    source.close();
  } catch (error) {
    if (!hasFailed) throw error;
  }
}

/** The next window, or how it failed, as something to call: workers agree on it first. */
function* attemptNext<T>(
  own: Generator<T | Promise<unknown>, void, unknown>,
): Reading<() => T | undefined> {
  try {
    const value = yield* nextOf(own);
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function windowOfAll<Params, State>(
  { value: own, region }: Owned<LocalWindow<Params, State>>,
  settings: AnyStreamSettings,
  index: number,
  sum: typeof wholeGradient,
  keep: (held: object) => void,
): Window<Params, State> {
  const { where, reduction } = settings;
  const { start, newFrom, end, entries } = own;
  const reduced = within(region, () => reduceWindow(own, settings, index, sum));
  const { gradients, squares, losses, count, gradientCount } = reduced;
  const total = losses.reduce((a, b) => a + b, 0);
  tree.leaves(gradients).forEach(keep);
  /** What is made when it is asked for, as long as the window is there. */
  const kept = <T>(name: string, make: () => T): T => {
    if (region.ended !== undefined) {
      throw new Error(`${where}: the ${name} of window ${index} is gone: ${region.ended}`);
    }
    const made = within(region, make);
    tree.leaves(made).forEach(keep);
    return made;
  };
  const window: Window<Params, State> = {
    index,
    start,
    newFrom,
    end,
    gradients,
    losses,
    loss: reduction === "mean" ? mean(total, count) : total,
    count,
    gradientCount,
    reduction,
    entries,
    ...(squares && { stateGradientNorms: squares.map(Math.sqrt) }),
    explain: () => own.explain(),
    get state() {
      return kept("state", () => tree.map(own.state, (x: Tensor) => clone(detach(x))) as State);
    },
    live: undefined as never,
  };
  // Not in a copy of the window by `{ ...window }`: it copies all that the stream needs.
  Object.defineProperty(window, "live", {
    enumerable: false,
    get: () =>
      kept("live", () => {
        if (own.live !== undefined) return own.live(index);
        throw new Error(`${where}: its windows cannot be resumed; save their state instead`);
      }),
  });
  keep(window);
  return window;
}
