import { clone, scope, Tape, type Tensor, tree } from "@chronograd/autodiff";
import { describeTensor, RecordedFunction, Trust, Witness } from "@chronograd/autodiff/extend";
import type { Cell, Values } from "../cell.ts";
import {
  type ChunkGradient,
  type ChunkInputs,
  type ChunkRun,
  type ChunkValue,
  type LossSizes,
  numbersOf,
  pulledChunk,
} from "./chunk.ts";
import type { Plan, TimeStep } from "./options.ts";
import { takeStep } from "./step.ts";

/** Runs chunks as a plan; those that do not fit it, and all where there can be none, on a tape each. */
export class ChunkRunner<Params, State, X, Y, Target> {
  readonly #cell: Cell<Params, State, X, Y>;
  readonly #plan: Plan<State, Y, Target>;
  #recorded:
    | RecordedFunction<
        ChunkInputs<Params, State, X, Target>,
        ChunkValue<State>,
        ChunkGradient<Params, State>
      >
    | undefined;
  /** The first step of the recorded chunk. */
  #witness: Witness<StepInputs<Params, State, X, Target>> | undefined;
  #sizes: LossSizes = { sizes: [], counts: [] };
  /** Why there is no plan. */
  #reason: string | undefined;
  /** How a step changes the shape of the state, in words. */
  #changeOfState: string | undefined;
  /** Steps before the chunk that runs. */
  #start = 0;
  #seen = 0;
  #onTapes = 0;
  readonly #trust = new Trust();

  constructor(cell: Cell<Params, State, X, Y>, plan: Plan<State, Y, Target>) {
    this.#cell = cell;
    this.#plan = plan;
  }

  /** Runs the chunk after step `start` forward; what it makes is placed in the innermost scope. */
  run(
    inputs: ChunkInputs<Params, State, X, Target>,
    start: number,
    weights: () => Tensor,
  ): ChunkRun<Params, State> {
    this.#start = start;
    if (this.#seen++ === 0) this.#record(inputs, weights);
    if (this.#trust.isDue()) this.check(inputs, start);
    const recorded = this.#recorded;
    if (recorded?.accepts(inputs) !== true) return this.#onTape(inputs, start);
    const run = recorded.forward(inputs);
    const value = run.value as unknown as ChunkValue<State>;
    return {
      ...numbersOf(value, this.#sizes, start),
      state: value.state,
      pull: (state, given) => {
        const cotangents = given === undefined ? { state } : { state, weights: given };
        const gradient = recorded.backward(run, cotangents, given === undefined ? 1 : 0);
        return gradient as unknown as ChunkGradient<Params, State>;
      },
      end: (reason) => run.end(reason),
    };
  }

  #record(inputs: ChunkInputs<Params, State, X, Target>, weights: () => Tensor): void {
    const { state } = inputs;
    const witness = Witness.of(this.#step, firstStep(inputs));
    const planned =
      typeof witness === "string"
        ? witness
        : (this.#changeOfState ??
          scope(() =>
            RecordedFunction.plan(this.#pulled, inputs, [{ state, weights: weights() }, { state }]),
          ));
    if (typeof planned === "string") {
      this.#reason = planned;
      if (typeof witness !== "string") witness.end();
      return;
    }
    this.#recorded = planned;
    this.#witness = witness as Exclude<typeof witness, string>;
  }

  /** Holds a step to what was recorded: it may have read something from outside that has changed. */
  check(inputs: ChunkInputs<Params, State, X, Target>, start: number): void {
    this.#start = start;
    const difference = this.#witness?.differenceNow(firstStep(inputs));
    if (difference === undefined) return;
    throw new Error(
      `truncated: at step ${start + 1} the model or the loss is not what compile: true recorded, since it takes something from outside that has changed: ${difference}; give it to the loop as part of a step, such as { input, target: { value, weight: tensor(0.5) } } for a loss (y, { value, weight }) => ..., or leave compile out`,
    );
  }

  readonly #step = ({ params, state, step }: StepInputs<Params, State, X, Target>) => {
    const tape = new Tape();
    const [weights, before] = [
      tape.watch(params) as Values<Params>,
      tape.watch(state) as Values<State>,
    ];
    const t = this.#start + 1;
    const { next, loss, count } = takeStep(this.#cell, this.#plan, tape, weights, before, step, t);
    this.#changeOfState = changeOf(state, next);
    const plain = <T>(values: T) => tree.map(values, (x: Tensor) => clone(tape.strip(x)));
    return { loss: plain(loss), count: plain(count), state: plain(next) };
  };

  readonly #pulled = (given: ChunkInputs<Params, State, X, Target>) => {
    const { pulled, sizes } = pulledChunk(this.#cell, this.#plan, given, this.#start);
    this.#sizes = sizes;
    return pulled;
  };

  #onTape(inputs: ChunkInputs<Params, State, X, Target>, start: number): ChunkRun<Params, State> {
    this.#onTapes++;
    const { pulled, sizes, tape } = pulledChunk(this.#cell, this.#plan, inputs, start);
    return {
      ...numbersOf(pulled.value, sizes, start),
      state: pulled.value.state,
      pull: (state, weights) =>
        pulled.pullbacks[0]!(weights === undefined ? { state } : { state, weights }),
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
    this.#witness?.end();
  }
}

/** What one step is computed from. */
interface StepInputs<Params, State, X, Target> {
  readonly params: Values<Params>;
  readonly state: Values<State>;
  readonly step: TimeStep<X, Target>;
}

function firstStep<Params, State, X, Target>({
  params,
  state,
  steps,
}: ChunkInputs<Params, State, X, Target>): StepInputs<Params, State, X, Target> {
  return { params, state, step: steps[0]! };
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
