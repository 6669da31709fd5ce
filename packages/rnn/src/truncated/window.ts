import { clone, detach, leaves, type MapTree, map, type Tensor } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/extend";
import type { Cell, Values } from "../cell.ts";
import { nextOnAll, reduceWindow } from "./agreement.ts";
import type { Estimator, LocalWindow, ParamsOfStream } from "./estimators/estimator.ts";
import type { StreamSettings, WindowSettings } from "./options.ts";
import type { Source } from "./source.ts";
import type { Owned } from "./step.ts";

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
   * Euclidean norm of the gradient by the state before each step `start + 1 ... end`, where it was
   * asked for. The first is the gradient at the cut: how much the truncation leaves out.
   */
  readonly stateGradientNorms?: readonly number[];
  /** The state after step `end`. */
  readonly state: State;
  /** How this worker's steps run by now, in words: the plan, or why there is none. */
  explain(): string;
}

/** A worker's windows and their tensors, which end when the next window is asked for. */
type OwnedWindows<Params, State> = Generator<
  Owned<LocalWindow<Values<Params>, Values<State>>>,
  void
>;

/** A stream of windows ends when nobody can ask for one, or use the last one, any more. */
let dropped: FinalizationRegistry<Generator<unknown, void>> | undefined;

/** The stream of each window and its tensors, which lasts as long as any of them is held. */
const streams = new WeakMap<object, object>();

/** The windows of all workers' rows, with an estimator's gradients. */
export function windowsOf<
  Params,
  State,
  X,
  Y,
  Target,
  Settings extends StreamSettings<State, Y, Target>,
>(
  estimator: Estimator<Params, State, X, Y, Target, Settings>,
  cell: Cell<Params, State, X, Y>,
  params: ParamsOfStream<Params>,
  source: Source<X, Target>,
  settings: Settings,
): Generator<Window<Values<Params>, Values<State>>, void> {
  const own: OwnedWindows<Params, State> = owned(estimator(cell, params, source, settings));
  const windows = agreed(own, source, settings, (held) => streams.set(held, windows));
  dropped ??= new FinalizationRegistry((rest) => rest.return());
  dropped.register(windows, own, own);
  return windows;
}

/** Each value with a region of its own, which ends when the next is asked for. */
function* owned<T>(values: Iterable<T>): Generator<Owned<T>, void> {
  for (const value of values) {
    const region = new Region(true);
    try {
      yield { value, region };
    } finally {
      region.end("its window is over; clone() what should outlive the window");
    }
  }
}

function* agreed<Params, State>(
  own: OwnedWindows<Params, State>,
  source: Source<unknown, unknown>,
  settings: WindowSettings,
  keep: (held: object) => void,
): Generator<Window<Values<Params>, Values<State>>, void> {
  const { where, communicator } = settings;
  try {
    for (let index = 0; ; index++) {
      const next = () => own.next().value ?? undefined;
      const window = nextOnAll(where, communicator, index, next);
      if (window === undefined) return;
      yield windowOfAll(window, settings, index, keep);
    }
  } finally {
    dropped?.unregister(own);
    own.return();
    source.close();
  }
}

/** The window of all workers' rows. `keep` is told of it and of its tensors. */
function windowOfAll<Params, State>(
  { value: own, region }: Owned<LocalWindow<Params, State>>,
  settings: WindowSettings,
  index: number,
  keep: (held: object) => void,
): Window<Params, State> {
  const { where, reduction, measure } = settings;
  const { start, newFrom, end, entries } = own;
  const reduced = within(region, () => reduceWindow(own, settings, measure?.(index) ?? false));
  leaves(reduced.gradients).forEach(keep);
  const window: Window<Params, State> = {
    index,
    start,
    newFrom,
    end,
    ...reduced,
    reduction,
    entries,
    explain: () => own.explain(),
    get state() {
      if (region.ended !== undefined) {
        throw new Error(`${where}: the state of window ${index} is gone: ${region.ended}`);
      }
      const clones = () => map(own.state, (x: Tensor) => clone(detach(x))) as State;
      const state = within(region, clones);
      leaves(state).forEach(keep);
      return state;
    },
  };
  keep(window);
  return window;
}
