import { scope, type Tensor } from "@chronograd/autodiff";
import { CheckSchedule, PurityCheck, RecordedFunction } from "@chronograd/autodiff/internal";
import type { Cell } from "../../cell.ts";
import { changeOfType } from "../../checkState.ts";
import { type ChunkCache, cached } from "../../loop/cache.ts";
import type { StepSettings } from "../step.ts";
import {
  type ChunkGradient,
  type ChunkInputs,
  type ChunkRun,
  type ChunkValue,
  chunkOnTape,
  type LossSizes,
  numbersOf,
} from "./chunk.ts";

/** A chunk of steps as it was recorded, with its first step, and what its losses belong to. */
interface Planned<Params, State, X, Target> {
  readonly recorded: RecordedFunction<
    ChunkInputs<Params, State, X, Target>,
    ChunkValue<State>,
    ChunkGradient<Params, State>
  >;
  readonly purity: PurityCheck<ChunkInputs<Params, State, X, Target>>;
  readonly sizes: LossSizes;
}

/** Plans of chunks, by cell and loss: they outlive the streams that made them. */
const plans = new WeakMap<object, ChunkCache>();

/**
 * A chunk of steps that is recorded once and then runs as a plan; chunks that do not fit the plan,
 * and all where there can be none, run on a tape each.
 */
export class RecordedChunk<Params, State, X, Y, Target> {
  readonly #cell: Cell<Params, State, X, Y>;
  readonly #settings: StepSettings<Y, Target>;
  #planned: Planned<Params, State, X, Target> | undefined;
  /** Why there is no plan. */
  #reason: string | undefined;
  /** Steps before the chunk that runs. */
  #start = 0;
  #seen = 0;
  #onTapes = 0;
  readonly #checks = new CheckSchedule();

  constructor(cell: Cell<Params, State, X, Y>, settings: StepSettings<Y, Target>) {
    this.#cell = cell;
    this.#settings = settings;
  }

  /** Runs the chunk after step `start` forward; what it makes is placed in the innermost scope. */
  run(
    inputs: ChunkInputs<Params, State, X, Target>,
    start: number,
    weights: () => Tensor,
  ): ChunkRun<Params, State> {
    this.#start = start;
    if (this.#seen++ === 0) this.#plan(inputs, weights);
    const { recorded, sizes } = this.#planned ?? {};
    const isDue = this.#checks.isDue();
    if (recorded?.accepts(inputs) !== true) return this.#onTape(inputs, start);
    if (isDue) this.check(inputs, start);
    const run = recorded.forward(inputs);
    const value = run.value as unknown as ChunkValue<State>;
    return {
      ...numbersOf(this.#settings.where, value, sizes!, start),
      state: value.state,
      pullback: (state, given) => {
        const cotangents = given === undefined ? { state } : { state, weights: given };
        const gradient = recorded.backward(run, cotangents, given === undefined ? 1 : 0);
        return gradient as unknown as ChunkGradient<Params, State>;
      },
      end: (reason) => run.end(reason),
    };
  }

  /** A plan that was kept must be what the model does now. */
  #plan(inputs: ChunkInputs<Params, State, X, Target>, weights: () => Tensor): void {
    const { loss } = this.#settings;
    const cache: ChunkCache = plans.get(this.#cell) ?? new WeakMap();
    plans.set(this.#cell, cache);
    let isNew = false;
    this.#planned = cached(cache, loss, inputs, [], () => {
      isNew = true;
      return this.#record(inputs, weights);
    });
    if (!isNew) this.check(inputs, this.#start);
  }

  #record(
    inputs: ChunkInputs<Params, State, X, Target>,
    weights: () => Tensor,
  ): Planned<Params, State, X, Target> | undefined {
    const cell = this.#cell;
    const { where, loss, stateOf } = this.#settings;
    // No other settings: a plan stays with the cell, and so with all that it holds.
    const settings = { where, loss, ...(stateOf && { stateOf }) };
    let changeOfState: string | undefined;
    let sizes: LossSizes = { sizes: [], counts: [] };
    const start = this.#start;
    const first = (given: ChunkInputs<Params, State, X, Target>) => {
      const { computed, sizes: own } = chunkOnTape(cell, settings, given, start);
      const change = changeOfType(given.state, computed.value.state);
      changeOfState =
        change &&
        `a step changes the state's shape: ${change.path} is ${change.was} before and ${change.is} after`;
      return { ...computed.value, tokens: own.counts };
    };
    const chunk = (given: ChunkInputs<Params, State, X, Target>) => {
      const made = chunkOnTape(cell, settings, given, start);
      sizes = made.sizes;
      return made.computed;
    };
    const { state } = inputs;
    const purity = PurityCheck.of(first, firstStep(inputs));
    if (typeof purity === "string") {
      this.#reason = purity;
      return undefined;
    }
    const recorded =
      changeOfState ??
      scope(() => RecordedFunction.plan(chunk, inputs, [{ state, weights: weights() }, { state }]));
    if (typeof recorded !== "string") return { recorded, purity, sizes };
    this.#reason = recorded;
    purity.end();
    return undefined;
  }

  /** Throws when a step read something from outside that has changed since it was recorded. */
  check(inputs: ChunkInputs<Params, State, X, Target>, start: number): void {
    this.#start = start;
    const difference = this.#planned?.purity.differenceNow(firstStep(inputs));
    if (difference === undefined) return;
    plans.delete(this.#cell);
    throw new Error(
      `${this.#settings.where}: at step ${start + 1} the model or the loss is not what compile: true recorded, since it takes something from outside that has changed: ${difference}; give it to the loop as part of a step, such as { input, target: { value, weight: tensor(0.5) } } for a loss (y, { value, weight }) => ..., or leave compile out`,
    );
  }

  #onTape(inputs: ChunkInputs<Params, State, X, Target>, start: number): ChunkRun<Params, State> {
    this.#onTapes++;
    const { computed, sizes, tape } = chunkOnTape(this.#cell, this.#settings, inputs, start);
    return {
      ...numbersOf(this.#settings.where, computed.value, sizes, start),
      state: computed.value.state,
      pullback: (state, weights) =>
        computed.pullbacks[0]!(weights === undefined ? { state } : { state, weights }),
      end: (reason) => tape.end(reason),
    };
  }

  /** The plan in words, or why there is none. */
  explain(): string {
    if (this.#planned === undefined) return `chunk by chunk on tapes, because ${this.#reason}`;
    const others =
      this.#onTapes === 0
        ? ""
        : `; ${this.#onTapes} of ${this.#seen} chunks ran on tapes, because their inputs had other shapes or values than those that were recorded`;
    return this.#planned.recorded.explain() + others;
  }
}

/** The first step, as a chunk of one. */
function firstStep<Inputs extends { readonly steps: readonly unknown[] }>(inputs: Inputs): Inputs {
  return { ...inputs, steps: inputs.steps.slice(0, 1) };
}
