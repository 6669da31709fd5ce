import {
  clone,
  concat,
  leaves,
  type MapTree,
  map,
  scope,
  Tape,
  type Tensor,
} from "@chronograd/autodiff";
import { type Pulled, RecordedFunction } from "@chronograd/autodiff/extend";
import { type Cell, runStep, type Values } from "../cell.ts";
import type { Plan, TimeStep } from "./options.ts";
import { counted } from "./segment.ts";

/** Chunks that run on tapes before one is recorded, unless a plan was asked for: a short stream is over sooner. */
const patience = 16;

/** What a chunk of steps is computed from. */
export interface ChunkInputs<Params, State, X, Target> {
  readonly params: Values<Params>;
  readonly state: Values<State>;
  readonly steps: readonly TimeStep<X, Target>[];
}

/** What a chunk gives: the elements of all losses, one after the other, and the state after it. */
export interface ChunkValue<State> {
  readonly losses: readonly Tensor[];
  readonly state: Values<State>;
}

/** Gradients by the parameters and by the state before the chunk. */
export interface ChunkGradient<Params, State> {
  readonly params: MapTree<Values<Params>, Tensor>;
  readonly state: MapTree<Values<State>, Tensor>;
}

/** Elements and tokens of each step's loss; -1 elements where there is none. */
export interface LossSizes {
  readonly sizes: readonly number[];
  readonly counts: readonly number[];
}

/** The forward run of a chunk, which waits for its gradient. */
export interface ChunkRun<Params, State> {
  readonly value: ChunkValue<State>;
  readonly losses: LossSizes;
  /** The gradient for what arrives at the state after the chunk and, where given, the weights of its losses. */
  pull(arriving: Values<State>, weights: Tensor | undefined): ChunkGradient<Params, State>;
  end(reason: string): void;
}

/** How chunks run: on a tape each, until they are worth a plan. */
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
  #losses: LossSizes = { sizes: [], counts: [] };
  /** Why there is no plan. */
  #reason: string | undefined;
  #seen = 0;
  /** The chunk before which it is checked that the plan is still true. */
  #nextCheck = 0;

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
    this.#seen++;
    if (this.#seen === (this.#plan.compile === "auto" ? patience : 1))
      this.#record(inputs, weights);
    else if (this.#seen === this.#nextCheck) this.#check(inputs, start, weights);
    const recorded = this.#recorded;
    if (recorded?.accepts(inputs) !== true) return this.#onTape(inputs, start);
    const run = recorded.forward(inputs);
    return {
      value: run.value as unknown as ChunkValue<State>,
      losses: this.#losses,
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
    const planned = scope(() =>
      RecordedFunction.plan(this.#pulled, inputs, [{ state, weights: weights() }, { state }]),
    );
    if (typeof planned === "string") this.#reason = planned;
    else {
      this.#recorded = planned;
      this.#nextCheck = this.#seen + 1;
    }
  }

  /** Now and then, ever more rarely, that what was recorded is still what the model does. */
  #check(
    inputs: ChunkInputs<Params, State, X, Target>,
    start: number,
    weights: () => Tensor,
  ): void {
    this.#nextCheck = 2 * this.#seen;
    const { state } = inputs;
    const recorded = this.#recorded!;
    if (!recorded.accepts(inputs)) return;
    const isStill = scope(() =>
      recorded.isStill(this.#pulled, inputs, [{ state, weights: weights() }, { state }]),
    );
    if (isStill) return;
    throw new Error(
      `truncated: at step ${start + 1} the model or the loss does something else than when it was recorded: a number, a switch or a tensor that it takes from outside has changed; make that an input or a parameter, or set compile to false`,
    );
  }

  readonly #pulled = (given: ChunkInputs<Params, State, X, Target>) => {
    const { pulled, losses } = pulledChunk(this.#cell, this.#plan, given, 0);
    this.#losses = losses;
    return pulled;
  };

  #onTape(inputs: ChunkInputs<Params, State, X, Target>, start: number): ChunkRun<Params, State> {
    const { pulled, losses, tape } = pulledChunk(this.#cell, this.#plan, inputs, start);
    return {
      value: pulled.value,
      losses,
      pull: (state, weights) =>
        pulled.pullbacks[0]!(weights === undefined ? { state } : { state, weights }),
      end: (reason) => tape.end(reason),
    };
  }

  /** The plan in words, or why there is none. */
  explain(): string {
    const why = this.#reason ?? "there were too few steps to plan for";
    return this.#recorded?.explain() ?? `chunk by chunk on tapes, because ${why}`;
  }

  end(reason: string): void {
    this.#recorded?.end(reason);
  }
}

/** A chunk on a tape of its own, with its two pullbacks. */
function pulledChunk<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  plan: Plan<State, Y, Target>,
  { params, state, steps }: ChunkInputs<Params, State, X, Target>,
  start: number,
): {
  readonly pulled: Pulled<ChunkValue<State>, ChunkGradient<Params, State>>;
  readonly losses: LossSizes;
  readonly tape: Tape;
} {
  const tape = new Tape();
  const [watched, before] = [
    tape.watch(params) as Values<Params>,
    tape.watch(state) as Values<State>,
  ];
  let now = before;
  const losses: (Tensor | null)[] = [];
  const counts: number[] = [];
  for (const [i, { input, target }] of steps.entries()) {
    const [output, next] = runStep(cell, watched, input, now);
    now = next;
    const { loss, count } = counted(plan.loss(output, target), start + i + 1);
    losses.push(loss);
    counts.push(count);
  }
  const some = losses.filter((loss) => loss !== null);
  // Copies, so that what a step made may lie where the plan wants it.
  const value: ChunkValue<State> = {
    losses: some.length === 0 ? [] : [concat(some.map((loss) => tape.strip(loss).reshape([-1])))],
    state: map(now, (x: Tensor) => clone(tape.strip(x))) as Values<State>,
  };
  const pullback = (given: unknown): ChunkGradient<Params, State> => {
    const { state: arriving, weights } = given as { state: Values<State>; weights?: Tensor };
    const targets: Tensor[] = [];
    const cotangents: Tensor[] = [];
    const after = leaves(now);
    for (const [i, g] of leaves(arriving).entries()) {
      if (g.dtype === "int32" || !tape.tracks(after[i]!)) continue;
      targets.push(after[i]!);
      cotangents.push(g);
    }
    for (const [i, loss] of losses.entries()) {
      if (loss === null || weights === undefined) continue;
      targets.push(loss);
      cotangents.push(weights.slice([i]).broadcastTo(loss.shape));
    }
    const by = { params: watched, state: before };
    return tape.gradient(targets, by, { cotangent: cotangents }) as unknown as ChunkGradient<
      Params,
      State
    >;
  };
  const sizes = losses.map((loss) => loss?.size ?? -1);
  return { pulled: { value, pullbacks: [pullback, pullback] }, losses: { sizes, counts }, tape };
}
