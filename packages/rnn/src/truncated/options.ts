import type { Tensor } from "@chronograd/autodiff";
import {
  checkedSharding,
  checkOptions,
  type Sharding,
  shardingNames,
} from "@chronograd/autodiff/internal";
import { type Communicator, type Rng, selfCommunicator } from "@chronograd/nn";
import type { Values } from "../cell.ts";
import { checkChoice } from "../checkChoice.ts";
import { textOf } from "../checkDefinition.ts";
import type { ShardingOptions } from "../sharding/options.ts";
import type { AdaptiveWindow } from "./adaptiveWindow.ts";
import type { LiveWindow } from "./live/liveWindow.ts";
import { type Resumed, resumedFrom } from "./live/resume.ts";
import type { StepLoss, StepSettings } from "./step.ts";

/** Which losses a window's gradient is of; see `TruncationOptions.losses`. */
export type Losses = "new" | "endpoint" | "window";
/** What becomes of activations older than the last update; see `TruncationOptions.stale`. */
export type Stale = "carry" | "recompute" | "defer";
/** How losses add up; see `StreamOptions.reduction`. */
export type LossReduction = "sum" | "mean";

/** What is asked of a stream of windows, whichever estimator its gradients come from. */
export interface StreamOptions<State, Y = Tensor, Target = Tensor> {
  /**
   * The loss of one step. Its elements are summed, and count as that many tokens unless it gives a
   * count; `null` where a step has none.
   */
  readonly loss: StepLoss<Y, Target>;
  /**
   * The state before the first step, a constant; the model's initial state unless given. The stream
   * reads it and does not release it.
   */
  readonly state?: Values<State>;
  /** `"sum"` of the window's losses (the default), or their `"mean"` over its count of tokens. */
  readonly reduction?: LossReduction;
  /**
   * For which windows (from 0) to measure `stateGradientNorms`, the same ones on all workers; none
   * by default or in `"defer"`. Gradients stay the same, bit by bit. A measured window costs about
   * as much as another; with `compile` 2 to 2.5 times as much, as its steps run again on a tape.
   */
  readonly measure?: (window: number) => boolean;
  /**
   * `true` records a chunk of steps once and replays it as a plan, as `compile` does; false unless
   * given. Ask for it where the stream is long and the model and the loss are functions of their
   * arguments alone: what they take from outside is recorded as it was, and the stream throws when
   * it finds that changed, at most 256 chunks later. A model that cannot be recorded, because it
   * reads values or draws random numbers, runs on a tape. Sums may be taken in another order.
   */
  readonly compile?: boolean;
  /**
   * Steps at the beginning that warm up the state: they run with the present parameters, without a
   * gradient and without losses. Windows begin after them, with at least one step, and count them
   * in `start` and `end`. 0 unless given.
   */
  readonly burnIn?: number;
  /**
   * Draws the noise of a model that has some, such as masks of dropout; `null` runs it without, as
   * in evaluation. What is drawn per window is drawn when its new steps begin; steps in the overlap
   * keep theirs. With `rng.getState()` of a window, a checkpoint goes on with the same draws.
   */
  readonly rng?: Rng | null;
  /**
   * The workers that share the batch, each with a stream of its own rows; `selfCommunicator` unless
   * given. Windows are then those of all rows: the same on every worker, except for the state.
   */
  readonly communicator?: Communicator;
}

/** How a stream is cut into windows, and which losses count. */
export interface TruncationOptions {
  /** Steps between updates: a window ends, and a gradient is yielded, every k1 steps. */
  readonly k1: number;
  /** Steps that a gradient reaches back: the state k2 steps before a window's end is constant. */
  readonly k2: number;
  /**
   * Whose losses a window's gradient is of: its `"new"` steps (the default), its `"endpoint"` only,
   * or all k2 steps of the `"window"`, overlap included.
   */
  readonly losses?: Losses;
  /**
   * With `losses: "window"`: divides each loss by how many windows of an endless stream it is in.
   */
  readonly multiplicity?: boolean;
  /**
   * The overlap of two windows was computed before the last update. `"carry"` (the default) sweeps
   * it with the weights of that time; `"recompute"` runs it again, from the stored state, with
   * today's; `"defer"` yields one gradient for the whole stream, so that there is no update in
   * between.
   */
  readonly stale?: Stale;
}

/**
 * How a stream is cut and swept.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams, truncated } from "@chronograd/rnn";
 *
 * const cell = elman({ input: 1, hidden: 1 });
 * const params = initialParams(cell, rng(1));
 * const target = tensor([[0]]);
 * const steps = [1, 2, 3, 4, 5].map((x) => ({ input: tensor([[x]]), target }));
 * const windows = truncated(cell, params, steps, {
 *   k1: 2,
 *   k2: 4,
 *   losses: "window",
 *   reduction: "mean",
 *   stale: "recompute",
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * const spans = Array.from(windows, (w) => `(${w.start}, ${w.end}], ${w.count} new`);
 * spans; // => ["(0, 2], 2 new", "(0, 4], 2 new", "(1, 5], 1 new"]
 * ```
 */
export interface TruncatedOptions<State, Y = Tensor, Target = Tensor>
  extends StreamOptions<State, Y, Target>,
    ShardingOptions,
    Omit<TruncationOptions, "k2"> {
  /**
   * Steps that a gradient reaches back: the state k2 steps before a window's end is constant. Or
   * what chooses them for each window, with `losses` other than `"window"` and `stale: "carry"`.
   */
  readonly k2: number | AdaptiveWindow;
  /**
   * `window.live` of a stream with the same settings: this one goes on after that window. Its first
   * step is `resume.end + 1`, and its next window is, bit for bit, the one that would have come
   * there, where parameters, optimizer and `rng` are as they were then. Without `state`, which is
   * part of it; the burn-in is over. The stream reads it and does not release it.
   */
  readonly resume?: LiveWindow;
}

/** Stream options, checked and with every default filled in. */
export interface StreamSettings<State, Y, Target>
  extends StreamOptions<State, Y, Target>,
    StepSettings<Y, Target> {
  readonly reduction: LossReduction;
  readonly compile: boolean;
  readonly burnIn: number;
  readonly communicator: Communicator;
  /** What the stream goes on from. */
  readonly resumed?: Resumed | undefined;
  readonly adaptive?: AdaptiveWindow | undefined;
  /** How the rows are divided among threads. */
  readonly sharding?: Sharding;
}

/** Those of any stream. */
export type AnyStreamSettings = StreamSettings<unknown, never, never>;

/** All options of `truncated`, checked and with every default filled in. */
export interface TruncatedSettings<State, Y, Target>
  extends StreamSettings<State, Y, Target>,
    Required<TruncationOptions> {
  readonly sharding: Sharding;
}

/** Fills in the defaults of `truncated` and throws a sentence for what does not fit. */
export function truncatedSettings<State, Y, Target>(
  options: TruncatedOptions<State, Y, Target>,
): TruncatedSettings<State, Y, Target> {
  const where = "truncated";
  const optional = ["losses", "multiplicity", "stale", "resume", ...shardingNames];
  const ofStream = streamSettings(where, options, ["k1", "k2"], optional);
  const { k1, losses = "new", multiplicity = false, stale = "carry" } = options;
  const adaptive = typeof options.k2 === "object" ? options.k2 : undefined;
  const k2 = adaptive?.most ?? (options.k2 as number);
  for (const [name, value] of Object.entries({ k1, k2 })) {
    if ((!Number.isInteger(value) && value !== Infinity) || value < 1) {
      throw new RangeError(
        `${where}: ${name} must be a whole number of steps of at least 1, got ${textOf(value)}`,
      );
    }
  }
  if (k2 < k1) {
    throw new RangeError(
      `${where}: k2 must be at least k1, got k1 ${k1} and k2 ${k2}; with k2 < k1 the losses of ${k1 - k2} steps in every window would reach no weights`,
    );
  }
  checkChoice(where, "losses", losses, ["new", "endpoint", "window"]);
  checkChoice(where, "stale", stale, ["carry", "recompute", "defer"]);
  adaptive?.check({ where, stale, losses });
  if (typeof multiplicity !== "boolean") {
    throw new TypeError(
      `${where}: multiplicity must be true or false, got ${JSON.stringify(multiplicity)}`,
    );
  }
  if (multiplicity && losses !== "window") {
    throw new TypeError(
      `${where}: multiplicity needs losses "window", got ${JSON.stringify(losses)}; elsewhere every loss is in one window`,
    );
  }
  if (multiplicity && !Number.isFinite(k2)) {
    throw new RangeError(
      `${where}: multiplicity needs a finite k2; with k2 Infinity a step is in endlessly many windows`,
    );
  }
  const sharding = checkedSharding(where, options, ofStream.communicator.size);
  const settings = { ...ofStream, k1, k2, adaptive, losses, multiplicity, stale, sharding };
  const { resume } = options;
  if (resume === undefined) return settings;
  if (options.state !== undefined) {
    throw new TypeError(
      `${where}: resume and state exclude each other, because a live window has the state; leave one out`,
    );
  }
  const resumed = resumedFrom(resume, settings);
  return {
    ...settings,
    resumed,
    sharding: { ...sharding, shards: resumed.shards, isTrusted: true },
  };
}

/** Names of the options of any stream. */
export const ofStreams: readonly string[] =
  "loss state reduction measure compile burnIn rng communicator".split(" ");

/**
 * Fills in the defaults of a stream and throws a sentence for what does not fit.
 *
 * @param where the public function, whose errors are said to be
 * @param required the estimator's own options that must be given; it checks them itself
 * @param optional its own options that may be given
 */
export function streamSettings<State, Y, Target>(
  where: string,
  options: StreamOptions<State, Y, Target>,
  required: readonly string[],
  optional: readonly string[],
): StreamSettings<State, Y, Target> {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `${where}: options must be an object with ${required.join(", ")} and loss, got ${String(options)}`,
    );
  }
  const misplaced = ["lengths", "mask", "resets", "context"].find((name) => name in options);
  if (misplaced !== undefined) {
    throw new TypeError(
      `${where}: ${misplaced} is no option, it belongs to the stream, as in { inputs, targets, ${misplaced} }`,
    );
  }
  checkOptions(where, options, [...required, ...ofStreams, ...optional]);
  const { loss, reduction = "sum", compile = false, communicator = selfCommunicator } = options;
  const { burnIn = 0 } = options;
  if (!Number.isInteger(burnIn) || burnIn < 0) {
    throw new RangeError(
      `${where}: burnIn must be a whole number of steps of at least 0, got ${textOf(burnIn)}`,
    );
  }
  if (typeof compile !== "boolean") {
    throw new TypeError(
      `${where}: compile must be true or false, got ${JSON.stringify(compile)}; true records the steps once and replays them`,
    );
  }
  checkChoice(where, "reduction", reduction, ["sum", "mean"]);
  if (options.measure !== undefined && typeof options.measure !== "function") {
    throw new TypeError(
      `${where}: measure must be a function of a window's index, got ${textOf(options.measure)}; (index) => index % 10 === 0 measures every tenth`,
    );
  }
  if (typeof loss !== "function") {
    throw new TypeError(
      `${where}: loss must be a function of output and target, got ${typeof loss}`,
    );
  }
  if (typeof communicator?.allReduce !== "function") {
    throw new TypeError(
      `${where}: communicator must have rank, size and allReduce, as selfCommunicator and those of runWorkers do, got ${JSON.stringify(communicator)}`,
    );
  }
  return { ...options, where, reduction, compile, burnIn, communicator };
}
