import { scope, type Tensor, tree } from "@chronograd/autodiff";
import {
  CheckSchedule,
  describeTensor,
  PurityCheck,
  RecordedFunction,
} from "@chronograd/autodiff/internal";
import type { Cell } from "../../cell.ts";
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

/**
 * A chunk of steps that is recorded once and then runs as a plan; chunks that do not fit the plan,
 * and all where there can be none, run on a tape each.
 */
export class RecordedChunk<Params, State, X, Y, Target> {
  readonly #cell: Cell<Params, State, X, Y>;
  readonly #settings: StepSettings<Y, Target>;
  #recorded:
    | RecordedFunction<
        ChunkInputs<Params, State, X, Target>,
        ChunkValue<State>,
        ChunkGradient<Params, State>
      >
    | undefined;
  /** The first step of the recorded chunk. */
  #purity: PurityCheck<ChunkInputs<Params, State, X, Target>> | undefined;
  #sizes: LossSizes = { sizes: [], counts: [] };
  /** Why there is no plan. */
  #reason: string | undefined;
  /** How a step changes the shape of the state, in words. */
  #changeOfState: string | undefined;
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
    if (this.#seen++ === 0) this.#record(inputs, weights);
    if (this.#checks.isDue()) this.check(inputs, start);
    const recorded = this.#recorded;
    if (recorded?.accepts(inputs) !== true) return this.#onTape(inputs, start);
    const run = recorded.forward(inputs);
    const value = run.value as unknown as ChunkValue<State>;
    return {
      ...numbersOf(this.#settings.where, value, this.#sizes, start),
      state: value.state,
      pullback: (state, given) => {
        const cotangents = given === undefined ? { state } : { state, weights: given };
        const gradient = recorded.backward(run, cotangents, given === undefined ? 1 : 0);
        return gradient as unknown as ChunkGradient<Params, State>;
      },
      end: (reason) => run.end(reason),
    };
  }

  #record(inputs: ChunkInputs<Params, State, X, Target>, weights: () => Tensor): void {
    const { state } = inputs;
    const purity = PurityCheck.of(this.#step, firstStep(inputs));
    const planned =
      typeof purity === "string"
        ? purity
        : (this.#changeOfState ??
          scope(() =>
            RecordedFunction.plan(this.#chunk, inputs, [{ state, weights: weights() }, { state }]),
          ));
    if (typeof planned === "string") {
      this.#reason = planned;
      if (typeof purity !== "string") purity.end();
      return;
    }
    this.#recorded = planned;
    this.#purity = purity as Exclude<typeof purity, string>;
  }

  /** Throws when a step read something from outside that has changed since it was recorded. */
  check(inputs: ChunkInputs<Params, State, X, Target>, start: number): void {
    this.#start = start;
    const difference = this.#purity?.differenceNow(firstStep(inputs));
    if (difference === undefined) return;
    throw new Error(
      `${this.#settings.where}: at step ${start + 1} the model or the loss is not what compile: true recorded, since it takes something from outside that has changed: ${difference}; give it to the loop as part of a step, such as { input, target: { value, weight: tensor(0.5) } } for a loss (y, { value, weight }) => ..., or leave compile out`,
    );
  }

  readonly #step = (given: ChunkInputs<Params, State, X, Target>) => {
    const { computed, sizes } = chunkOnTape(this.#cell, this.#settings, given, this.#start);
    this.#changeOfState = changeOf(given.state, computed.value.state);
    return { ...computed.value, tokens: sizes.counts };
  };

  readonly #chunk = (given: ChunkInputs<Params, State, X, Target>) => {
    const { computed, sizes } = chunkOnTape(this.#cell, this.#settings, given, this.#start);
    this.#sizes = sizes;
    return computed;
  };

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
    if (this.#recorded === undefined) return `chunk by chunk on tapes, because ${this.#reason}`;
    const others =
      this.#onTapes === 0
        ? ""
        : `; ${this.#onTapes} of ${this.#seen} chunks ran on tapes, because their inputs had other shapes or values than those that were recorded`;
    return this.#recorded.explain() + others;
  }

  end(reason: string): void {
    this.#recorded?.end(reason);
    this.#purity?.end();
  }
}

/** The first step, as a chunk of one. */
function firstStep<Inputs extends { readonly steps: readonly unknown[] }>(inputs: Inputs): Inputs {
  return { ...inputs, steps: inputs.steps.slice(0, 1) };
}

/** The first leaf of a state whose shape or dtype a step changes, in words. */
function changeOf(before: unknown, after: unknown): string | undefined {
  const now = new Map(tree.leavesWithPath(after));
  for (const [path, x] of tree.leavesWithPath(before)) {
    const y = now.get(path);
    const [was, is] = [describeTensor(x), y === undefined ? "missing" : describeTensor(y)];
    if (was !== is) {
      return `a step changes the state's shape: ${path || "it"} is ${was} before and ${is} after`;
    }
  }
  return undefined;
}
