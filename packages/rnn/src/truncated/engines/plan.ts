import { defaultBackend, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { alias, oneThread, Region, within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import type { Past } from "../live/liveWindow.ts";
import { stepIsOver } from "../source.ts";
import type { Owned, PreparedStep, Term } from "../step.ts";
import { checkUnchanged, noted } from "../unchanged.ts";
import type { ChunkInputs, ChunkRun } from "./chunk.ts";
import { addGradients, type Engine, type EngineSettings, type LocalGradients } from "./engine.ts";
import { RecordedChunk } from "./recordedChunk.ts";
import { Shapes } from "./shapes.ts";
import { type TapesEngine, tapeEngine } from "./shardedTapes.ts";

/** The longest chunk that is planned as a whole. */
const longest = 64;

/**
 * Steps of one plan: as many as fit into every window and every cut, so that both
 * fall between chunks.
 */
export function chunkLength(k1: number, k2: number): number {
  let [a, b] = [k1, Number.isFinite(k2) ? k2 : k1];
  while (b > 0) [a, b] = [b, a % b];
  let length = Math.min(a, longest);
  while (a % length !== 0) length--;
  return length;
}

/** Thrown, with the reason, where steps cannot run as a plan; none of them was taken then. */
export class NotPlanned extends Error {}

/** Steps that ran as one plan: their inputs, and the run. */
interface Chunk<Params, State, X, Target> {
  /** Steps before the first. */
  readonly start: number;
  readonly end: number;
  readonly inputs: ChunkInputs<Params, State, X, Target>;
  readonly run: ChunkRun<Params, State>;
  readonly region: Region;
}

/** Runs steps in chunks, as plans. Only chunks of `stepsAtOnce` steps can be taken. */
export class PlanEngine<Params, State, X, Y, Target> implements Engine<Params, State, X, Target> {
  readonly start: number;
  t: number;
  state: Values<State>;
  readonly stepsAtOnce: number;
  /** Plans keep no tape. */
  readonly entries = 0;
  readonly #cell: Cell<Params, State, X, Y>;
  readonly #settings: EngineSettings<Y, Target>;
  readonly #recorded: RecordedChunk<Params, State, X, Y, Target>;
  readonly #chunks: Chunk<Params, State, X, Target>[] = [];
  /** Those of the steps that the plan was made for; chunks of other shapes run on tapes. */
  #shapes: Shapes<readonly PreparedStep<X, Target>[]> | undefined;
  /** The region of the state before the first chunk. */
  readonly #first = new Region();

  /** @param state the state after step `start` */
  constructor(
    cell: Cell<Params, State, X, Y>,
    settings: EngineSettings<Y, Target>,
    state: Values<State>,
    start: number,
  ) {
    this.start = start;
    this.t = start;
    this.#cell = cell;
    this.#settings = settings;
    this.stepsAtOnce = chunkLength(settings.k1, settings.k2);
    this.#recorded = new RecordedChunk(cell, settings);
    for (const x of tree.leaves(state)) this.#first.hold(x.block);
    this.state = tree.map(state, (x: Tensor) => alias(x, x.shape)) as Values<State>;
  }

  explain(): string {
    return this.#recorded.explain();
  }

  /** @throws `NotPlanned` */
  take(
    params: Values<Params>,
    taken: readonly Owned<PreparedStep<X, Target>>[],
  ): readonly number[] {
    if (taken.length !== this.stepsAtOnce)
      throw new NotPlanned("the last chunk is shorter than the others");
    const steps = taken.map(({ value }) => value);
    const start = this.t;
    const end = start + steps.length;
    this.#checkSteps(steps, start);
    this.#shapes ??= new Shapes(steps);
    // Separate handles, because `applyUpdates` consumes the caller's.
    const region = new Region();
    const own = tree.map(params, (x: Tensor) => alias(x, x.shape)) as Values<Params>;
    const inputs = {
      params: noted(own as object, region) as Values<Params>,
      state: this.state,
      steps,
    };
    // All of them, whether or not a step reads them: the chunk may be run again.
    for (const x of tree.leaves(inputs)) region.hold(x.block);
    const weights = () => this.#weights([], start, params);
    let run: ChunkRun<Params, State>;
    try {
      run = within(region, () => this.#recorded.run(inputs, start, weights));
      region.endWith(run);
      if (!run.losses.every(Number.isFinite)) throw new NotPlanned("a loss is not finite");
    } catch (error) {
      region.end("its chunk of steps threw");
      throw error;
    }
    this.#drop(end - this.#settings.k2);
    this.#chunks.push({ inputs, start, end, run, region });
    this.t = end;
    this.state = run.state;
    // The chunk holds what it needs of them.
    for (const step of taken) step.region.end(stepIsOver);
    return run.losses;
  }

  finish(): void {
    const last = this.#chunks.at(-1);
    if (last !== undefined) this.#recorded.check(last.inputs, last.start);
  }

  /** Drops chunks that begin before step `start + 1`. */
  #drop(start: number): void {
    while (this.#chunks.length > 0 && this.#chunks[0]!.start < start) {
      this.#chunks.shift()!.region.end(stepIsOver);
    }
    this.#first.end(stepIsOver);
  }

  countAt(t: number): number {
    const { run, start } = this.#chunks.find((chunk) => t > chunk.start && t <= chunk.end)!;
    return run.counts[t - 1 - start]!;
  }

  /**
   * Chunk by chunk: one of those that are held begins at `start`.
   */
  sweep(terms: readonly Term[], start: number, measure: boolean): LocalGradients<Values<Params>> {
    const squares = measure ? this.#squares(terms, start) : undefined;
    let arriving = tree.map(this.state, (x: Tensor) =>
      zeros(x.shape, { dtype: x.dtype, backend: x.backend }),
    ) as Values<State>;
    /** Of each shard: added up over all steps first, as on ranks with some of the shards. */
    let totals: LocalGradients<Values<Params>>["gradients"] | undefined;
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const chunk = this.#chunks[i]!;
      if (chunk.start < start) break;
      this.#checkSteps(chunk.inputs.steps, chunk.start);
      const own = terms.filter(({ t }) => t > chunk.start && t <= chunk.end);
      const { params: used } = chunk.inputs;
      const weights = own.length === 0 ? undefined : this.#weights(own, chunk.start, used);
      const { params, state } = chunk.run.pullback(arriving, weights);
      arriving = state as unknown as Values<State>;
      totals = totals?.map((total, shard) => addGradients(total, params[shard]!)) ?? params;
    }
    return { gradients: totals!, ...(squares && { squares }) };
  }

  /** Measured on a tape, so that the gradients are those of a window that is not measured. */
  #squares(terms: readonly Term[], start: number): readonly number[] {
    const engine = this.onTape("a window is measured");
    try {
      return engine.squares(terms, start);
    } finally {
      engine.end();
    }
  }

  /** The weight of each loss of a chunk, 0 where there is none. */
  #weights(terms: readonly Term[], start: number, params: Values<Params>): Tensor {
    const values = new Float64Array(this.stepsAtOnce);
    for (const { t, weight } of terms) values[t - 1 - start] = weight;
    const like = tree.leaves(params).find((x) => x.dtype !== "int32") ?? tree.leaves(this.state)[0];
    const dtype = like?.dtype === "float64" ? "float64" : "float32";
    return tensor(values, { dtype, ...(like && { backend: like.backend }) });
  }

  /** The same steps on a tape, run again with the weights of the time: every value is the same. */
  onTape(reason: string): TapesEngine<Params, State, X, Target> {
    const [first] = this.#chunks;
    const state = first?.inputs.state ?? this.state;
    // Rows that shards were planned for can be computed apart.
    const sharding = { ...(this.#settings.sharding ?? oneThread), isTrusted: true };
    const engine = tapeEngine(
      this.#cell,
      { ...this.#settings, sharding },
      state,
      first?.start ?? this.t,
      reason,
      this.#recorded.shards,
    );
    for (const { inputs, start } of this.#chunks) {
      const { params, steps } = inputs;
      this.#checkSteps(steps, start);
      engine.take(
        params,
        steps.map((value) => ({ value, region: new Region() })),
      );
    }
    return engine;
  }

  planLike(params: Values<Params>, steps: readonly PreparedStep<X, Target>[]): void {
    this.#shapes = new Shapes(steps);
    const region = new Region();
    try {
      within(region, () => {
        const inputs = { params, state: this.state, steps };
        const run = this.#recorded.run(inputs, this.t, () => this.#weights([], this.t, params));
        region.endWith(run);
      });
    } finally {
      region.end(stepIsOver);
    }
  }

  past(): Past<Values<Params>, Values<State>, X, Target> {
    // The next chunk may be a short one, of a window that reaches back to the next step of a chunk.
    const chunks = this.#chunks.filter(({ end }) => end > this.t + 1 - this.#settings.k2);
    const first = chunks[0]?.inputs.steps;
    const { backend = defaultBackend() } = tree.leaves(this.state)[0] ?? {};
    const isLike = first !== undefined && this.#shapes!.equals(new Shapes(first));
    return {
      planned: isLike ? [] : this.#shapes!.zeros(backend),
      states: [chunks[0]?.inputs.state ?? this.state],
      steps: chunks.flatMap(({ inputs: { steps, params } }) =>
        steps.map((step) => ({ step, params })),
      ),
      reason: undefined,
      shards: this.#recorded.shards,
    };
  }

  end(): void {
    this.#drop(Infinity);
  }

  /** Plans read their inputs late, and again on the way back. */
  #checkSteps(steps: readonly object[], start: number): void {
    for (const [i, step] of steps.entries()) {
      checkUnchanged(this.#settings.where, step, start + i + 1);
    }
  }
}
