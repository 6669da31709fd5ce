import { type MapTree, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { alias, Region, within } from "@chronograd/autodiff/extend";
import type { Cell, Values } from "../cell.ts";
import type { ChunkRun } from "./chunk.ts";
import { ChunkRunner } from "./chunkRunner.ts";
import { checkUnchanged, stepIsOver, streamIsOver } from "./feed.ts";
import type { Plan, TimeStep } from "./options.ts";
import { chunkLength } from "./planning.ts";
import { Segment, type Swept, type Term } from "./segment.ts";

/** Steps that were run together: what they were computed from, and what waits for their gradient. */
interface Chunk<Params, State, X, Target> {
  /** Steps before the first. */
  readonly start: number;
  readonly end: number;
  readonly params: Values<Params>;
  readonly state: Values<State>;
  readonly steps: readonly TimeStep<X, Target>[];
  readonly run: ChunkRun<Params, State>;
  readonly region: Region;
}

/** As `Segment`, but in chunks of steps that run as plans. */
export class ChunkedSegment<Params, State, X, Y, Target> {
  readonly cell: Cell<Params, State, X, Y>;
  readonly plan: Plan<State, Y, Target>;
  readonly length: number;
  readonly #runner: ChunkRunner<Params, State, X, Y, Target>;
  readonly #chunks: Chunk<Params, State, X, Target>[] = [];
  /** The region of the state before the first chunk. */
  readonly #first = new Region();
  #state: Values<State>;
  #t = 0;

  constructor(cell: Cell<Params, State, X, Y>, plan: Plan<State, Y, Target>, state: Values<State>) {
    this.cell = cell;
    this.plan = plan;
    this.length = chunkLength(plan.k1, plan.k2);
    this.#runner = new ChunkRunner(cell, plan);
    for (const x of tree.leaves(state)) this.#first.hold(x.block);
    this.#state = tree.map(state, (x: Tensor) => alias(x, x.shape)) as Values<State>;
  }

  /** Steps taken so far. */
  get t(): number {
    return this.#t;
  }

  /** The state after the last step. */
  get state(): Values<State> {
    return this.#state;
  }

  /** How its chunks run, in words. */
  explain(): string {
    return this.#runner.explain();
  }

  /** Plans keep no tape. */
  get entries(): number {
    return 0;
  }

  /**
   * Takes a chunk of steps; the loss of each.
   *
   * @returns the reason when this cannot be done as a plan; nothing was taken then
   */
  take(params: Values<Params>, steps: readonly TimeStep<X, Target>[]): number[] | string {
    if (steps.length !== this.length) return "it is shorter than the others";
    checkSteps(steps, this.#t);
    // Handles of its own: `applyUpdates` consumes the caller's.
    const inputs = {
      params: tree.map(params, (x: Tensor) => alias(x, x.shape)) as Values<Params>,
      state: this.#state,
      steps,
    };
    const region = new Region();
    // All of them, whether or not a step reads them: the chunk may be run again.
    for (const x of tree.leaves(inputs)) region.hold(x.block);
    const weights = () => this.#weights([], this.#t, params);
    let run: ChunkRun<Params, State>;
    try {
      run = within(region, () => this.#runner.run(inputs, this.#t, weights));
    } catch (error) {
      region.end("its chunk of steps threw");
      throw error;
    }
    if (!run.losses.every(Number.isFinite)) {
      run.end(stepIsOver);
      region.end(stepIsOver);
      return "a loss is not finite";
    }
    this.#drop(this.#t + this.length - this.plan.k2);
    const end = this.#t + this.length;
    this.#chunks.push({ ...inputs, start: this.#t, end, run, region });
    this.#t = end;
    this.#state = run.state;
    return [...run.losses];
  }

  /** Checks, after the last chunk, that what was recorded is still what the model does. */
  finish(): void {
    const last = this.#chunks.at(-1);
    if (last !== undefined) this.#runner.check(last, last.start);
  }

  /** Drops chunks that begin before step `start + 1`. */
  #drop(start: number): void {
    while (this.#chunks.length > 0 && this.#chunks[0]!.start < start) {
      const { run, region } = this.#chunks.shift()!;
      run.end(stepIsOver);
      region.end(stepIsOver);
    }
    this.#first.end(stepIsOver);
  }

  /** Tokens that step `t` counts. */
  countAt(t: number): number {
    const { run, start } = this.#chunks.find((chunk) => t > chunk.start && t <= chunk.end)!;
    return run.counts[t - 1 - start]!;
  }

  /** As `Segment.sweep`, chunk by chunk: those that are held begin at `start`. What is measured, is on a tape. */
  sweep(terms: readonly Term[], start: number, measure: boolean): Swept<Values<Params>> {
    if (measure) {
      const segment = this.toSegment();
      try {
        return segment.sweep(terms, start, true);
      } finally {
        segment.end();
      }
    }
    let arriving = tree.map(this.#state, (x: Tensor) =>
      zeros(x.shape, { dtype: x.dtype, backend: x.backend }),
    ) as Values<State>;
    let total: MapTree<Values<Params>, Tensor> | undefined;
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const chunk = this.#chunks[i]!;
      checkSteps(chunk.steps, chunk.start);
      const own = terms.filter(({ t }) => t > chunk.start && t <= chunk.end);
      const weights = own.length === 0 ? undefined : this.#weights(own, chunk.start, chunk.params);
      const { params, state } = chunk.run.pull(arriving, weights);
      arriving = state as unknown as Values<State>;
      total =
        total === undefined
          ? params
          : (tree.zip(total, params, (a, b) =>
              a.dtype === "int32" ? a : a.add(b),
            ) as typeof params);
    }
    return { gradients: total! };
  }

  /** The weight of each loss of a chunk, 0 where there is none. */
  #weights(terms: readonly Term[], start: number, params: Values<Params>): Tensor {
    const values = new Float64Array(this.length);
    for (const { t, weight } of terms) values[t - 1 - start] = weight;
    const like =
      tree.leaves(params).find((x) => x.dtype !== "int32") ?? tree.leaves(this.#state)[0];
    const dtype = like?.dtype === "float64" ? "float64" : "float32";
    return tensor(values, { dtype, ...(like && { backend: like.backend }) });
  }

  /** The same stretch on a tape, run again with the weights of the time: every value is the same. */
  toSegment(): Segment<Params, State, X, Y, Target> {
    const first = this.#chunks[0];
    const segment = new Segment(
      this.cell,
      this.plan,
      first?.state ?? this.#state,
      first?.start ?? 0,
    );
    for (const { params, steps, start } of this.#chunks) {
      checkSteps(steps, start);
      segment.use(params);
      for (const step of steps) segment.take(step, new Region());
    }
    return segment;
  }

  end(): void {
    this.#drop(Infinity);
    this.#runner.end(streamIsOver);
  }
}

/** Plans read their inputs late, and again on the way back. */
function checkSteps(steps: readonly object[], start: number): void {
  for (const [i, step] of steps.entries()) checkUnchanged(step, start + i + 1);
}
