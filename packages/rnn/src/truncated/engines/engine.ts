import { clone, type MapTree, type Tensor, tree } from "@chronograd/autodiff";
import { pairwiseSum, type Sharding } from "@chronograd/autodiff/internal";
import type { Values } from "../../cell.ts";
import type { Past } from "../live/liveWindow.ts";
import type { Owned, PreparedStep, StepSettings, Term } from "../step.ts";

/**
 * Runs the steps of a stream and keeps the last k2 of them, so that a gradient can be swept back
 * through them.
 */
export interface Engine<Params, State, X, Target> {
  /**
   * Steps of the stream before the engine's first one: no window can begin earlier. An engine that
   * begins later in the stream is `chooseEngine(cell, settings, state, start)`.
   */
  readonly start: number;
  /** Steps of the stream until now: `start`, and those that the engine took. */
  readonly t: number;
  /**
   * The state after the last step. It may be tracked, and ends with the engine: to hand it on as a
   * constant, make `tree.map(state, (x) => clone(detach(x)))` within a `Region`, as `recompute.ts`.
   */
  readonly state: Values<State>;
  /** Entries on the tape. */
  readonly entries: number;
  /** How many steps the engine takes at once, for speed. */
  readonly stepsAtOnce: number;
  /**
   * Takes steps with these parameters, and drops what is more than k2 steps back. The regions of
   * the steps are the engine's from then on, unless it throws.
   *
   * @returns the loss of each
   * @throws when a loss is not finite
   */
  take(params: Values<Params>, steps: readonly Owned<PreparedStep<X, Target>>[]): readonly number[];
  /** Tokens that step `t` counts. */
  countAt(t: number): number;
  /**
   * The gradients of a weighted sum of losses by all parameters that were used, as one, with the
   * state after step `start` held constant; and, when asked for, the square of the norm of its
   * gradient by the state before every step after `start`.
   */
  sweep(terms: readonly Term[], start: number, measure: boolean): LocalGradients<Values<Params>>;
  /** How steps run by now, in words: the plan, or why there is none. */
  explain(): string;
  /** Before the first step: plans are to be for steps like these, whatever comes. */
  planLike?(params: Values<Params>, steps: readonly PreparedStep<X, Target>[]): void;
  /** What the next window may reach back to. It is read at once, and ends with the engine. */
  past(): Past<Values<Params>, Values<State>, X, Target>;
  /** To be called after the last step: throws if a plan is no longer what the model does. */
  finish(): void;
  /** Returns all memory. */
  end(): void;
}

/** What an engine needs of the settings. */
export interface EngineSettings<Y, Target> extends StepSettings<Y, Target> {
  readonly k1: number;
  readonly k2: number;
  readonly compile: boolean;
  /** How the rows are divided among threads; not at all unless given. */
  readonly sharding?: Sharding;
  /** Where it is given, a state is another entry than the output: its gradient is measured. */
  readonly measure?: unknown;
  /** The same. */
  readonly adaptive?: unknown;
}

/** Gradients of one worker: sums over the rows of a batch, so parts of a batch add up. */
export interface LocalGradients<Params> {
  /** Those of each shard of the rows, not yet added up: in which order counts. */
  readonly gradients: readonly MapTree<Params, Tensor>[];
  /** Squared norms of the gradient by the state before each step, where they were asked for. */
  readonly squares?: readonly number[];
}

/** The gradient of all rows, from those of their shards. */
export function wholeGradient<Gradients>(shards: readonly Gradients[]): Gradients {
  return pairwiseSum(shards as [Gradients, ...Gradients[]], addGradients);
}

/** Adds two gradients by the same parameters; by whole numbers there are none. */
export function addGradients<Gradients>(a: Gradients, b: Gradients): Gradients {
  return tree.zip(a, b, (x, y) => (x.dtype === "int32" ? clone(x) : x.add(y))) as Gradients;
}
