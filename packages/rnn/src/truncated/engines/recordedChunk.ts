import { scope, type Tensor, tree } from "@chronograd/autodiff";
import {
  CheckSchedule,
  oneThread,
  PurityCheck,
  planRows,
  RecordedFunction,
  type RowPlan,
  type Sharding,
  type Shards,
  shardsOf,
  whyDependent,
} from "@chronograd/autodiff/internal";
import type { Cell } from "../../cell.ts";
import { rowsOf } from "../../checkRows.ts";
import { changeOfType } from "../../checkState.ts";
import { type ChunkCache, cached } from "../../loop/cache.ts";
import { dependent } from "../../sharding/options.ts";
import type { StepSettings } from "../step.ts";
import {
  type ChunkGradient,
  type ChunkInputs,
  type ChunkRun,
  type ChunkValue,
  chunkOnTape,
  type LossSizes,
} from "./chunk.ts";
import { joined, ofShard, partsOfChunk, plannedRuns, type ShardRuns, trialOf } from "./shards.ts";

/** A chunk of steps as it was recorded, with its first step, and what its losses belong to. */
interface Planned<Params, State, X, Target>
  extends RowPlan<
    RecordedFunction<
      ChunkInputs<Params, State, X, Target>,
      ChunkValue<State>,
      ChunkGradient<Params, State>
    >
  > {
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
  readonly #settings: StepSettings<Y, Target> & { readonly sharding?: Sharding };
  #planned: Planned<Params, State, X, Target> | undefined;
  /** Why there is no plan. */
  #reason: string | undefined;
  /** Steps before the chunk that runs. */
  #start = 0;
  #seen = 0;
  /** Chunks that ran on tapes. */
  #unplanned = 0;
  readonly #checks = new CheckSchedule();

  constructor(
    cell: Cell<Params, State, X, Y>,
    settings: StepSettings<Y, Target> & { readonly sharding?: Sharding },
  ) {
    this.#cell = cell;
    this.#settings = settings;
  }

  /** Into how many parts the rows are cut. */
  get shards(): number {
    return this.#planned?.shards ?? Math.max(1, this.#settings.sharding?.shards ?? 1);
  }

  /** Runs the chunk after step `start` forward; what it makes is placed in the innermost scope. */
  run(
    inputs: ChunkInputs<Params, State, X, Target>,
    start: number,
    weights: () => Tensor,
  ): ChunkRun<Params, State> {
    this.#start = start;
    if (this.#seen++ === 0) this.#plan(inputs, weights);
    const isDue = this.#checks.isDue();
    const { recorded, sizes } = this.#planned ?? {};
    const rows = rowsOfChunk(inputs);
    const tensors = recorded?.cut(inputs);
    if (tensors !== undefined && isDue) this.check(inputs, start);
    const runs =
      tensors === undefined
        ? this.#onTapes(partsOfChunk(inputs, rows, this.shards), start, rows)
        : plannedRuns(recorded!, tensors, sizes!);
    return joined(this.#settings.where, runs, rows, start);
  }

  /** A plan that was kept must be what the model does now. */
  #plan(inputs: ChunkInputs<Params, State, X, Target>, weights: () => Tensor): void {
    const { loss, sharding = oneThread, where } = this.#settings;
    const rows = rowsOfChunk(inputs);
    const shards = shardsOf(where, sharding, rows, workOf(inputs, rows));
    const cache: ChunkCache = plans.get(this.#cell) ?? new WeakMap();
    plans.set(this.#cell, cache);
    let isNew = false;
    this.#planned = cached(cache, loss, inputs, Object.values(shards), () => {
      isNew = true;
      return this.#record(inputs, rows, shards, weights);
    });
    const { whyAlone } = this.#planned ?? {};
    // Threads that were not asked for can be left out; an order of sums that was cannot.
    if (shards.isOrdered === true && whyAlone !== undefined) throw dependent(where, whyAlone);
    if (!isNew) this.check(inputs, this.#start);
  }

  #record(
    inputs: ChunkInputs<Params, State, X, Target>,
    rows: number,
    shards: Shards,
    weights: () => Tensor,
  ): Planned<Params, State, X, Target> | undefined {
    const cell = this.#cell;
    const { where, loss, stateOf } = this.#settings;
    // No other settings: a plan stays with the cell, and so with all that it holds.
    const settings = { where, loss, ...(stateOf && { stateOf }) };
    const seen: Seen = { change: undefined };
    let sizes: LossSizes = { sizes: [], counts: [] };
    const start = this.#start;
    const first = firstOf(cell, settings, start, seen);
    let isShard = false;
    const chunk = (given: ChunkInputs<Params, State, X, Target>) => {
      const made = chunkOnTape(cell, settings, given, start, isShard);
      sizes = made.sizes;
      return made.computed;
    };
    const purity = PurityCheck.of(first, firstStep(inputs));
    const { isTrusted = false } = this.#settings.sharding ?? oneThread;
    const whyRowsDepend = () => {
      const run = (given: typeof inputs) => chunkOnTape(cell, settings, given, start, true);
      return isTrusted
        ? undefined
        : scope(() => whyDependent(trialOf(run, inputs, rows, shards.count)));
    };
    const reason = typeof purity === "string" ? purity : seen.change;
    if (typeof purity === "string" || reason !== undefined) {
      // On tapes too, sums in order are for rows that can be computed apart.
      const why = shards.isOrdered === true && shards.count > 1 ? whyRowsDepend() : undefined;
      if (why !== undefined) throw dependent(where, why);
      if (typeof purity !== "string") purity.end();
      this.#reason = reason;
      return undefined;
    }
    const planned = planRows(shards, whyRowsDepend, (own) =>
      scope(() => {
        isShard = own.count > 1;
        const given = isShard ? partsOfChunk(inputs, rows, own.count)[0]! : inputs;
        const { state } = given;
        const cotangents = [{ state, weights: weights() }, { state }];
        return RecordedFunction.plan(chunk, given, cotangents, own, inputs);
      }),
    );
    if (typeof planned !== "string") return { ...planned, purity, sizes };
    this.#reason = planned;
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

  #onTapes(
    parts: readonly ChunkInputs<Params, State, X, Target>[],
    start: number,
    rows: number,
  ): ShardRuns<Params, State> {
    this.#unplanned++;
    const isShard = parts.length > 1;
    const runs = parts.map((part, shard) => {
      try {
        return chunkOnTape(this.#cell, this.#settings, part, start, isShard);
      } catch (error) {
        throw ofShard(error, shard, parts.length, rows);
      }
    });
    return {
      values: runs.map(({ computed }) => computed.value),
      sizes: runs[0]!.sizes,
      pullback: (states, weights) =>
        runs.map(({ computed }, shard) => {
          const state = states[shard];
          return computed.pullbacks[0]!(weights === undefined ? { state } : { state, weights });
        }),
      end(reason) {
        for (const { tape } of runs) tape.end(reason);
      },
    };
  }

  /** The plan in words, or why there is none. */
  explain(): string {
    if (this.#planned === undefined) return `chunk by chunk on tapes, because ${this.#reason}`;
    const { whyAlone } = this.#planned;
    const others =
      this.#unplanned === 0
        ? ""
        : `; ${this.#unplanned} of ${this.#seen} chunks ran on tapes, because their inputs had other shapes or values than those that were recorded`;
    const rows = whyAlone === undefined ? "" : `; all rows on one thread, because ${whyAlone}`;
    return this.#planned.recorded.explain() + rows + others;
  }
}

/** What was seen when a first step ran. */
interface Seen {
  /** How it changes the type of the state, in words. */
  change: string | undefined;
}

/**
 * A step, as it is compared later. It stays with the plan, so it holds nothing but what it needs.
 */
function firstOf<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  settings: StepSettings<Y, Target>,
  start: number,
  seen: Seen,
) {
  return (given: ChunkInputs<Params, State, X, Target>) => {
    const { computed, sizes } = chunkOnTape(cell, settings, given, start);
    const change = changeOfType(given.state, computed.value.state);
    seen.change =
      change &&
      `a step changes the state's shape: ${change.path} is ${change.was} before and ${change.is} after`;
    return { ...computed.value, tokens: sizes.counts };
  };
}

/** The rows of a chunk: of its state, or of its input where that has none. */
function rowsOfChunk({ state, steps }: ChunkInputs<unknown, unknown, unknown, unknown>): number {
  return rowsOf(state) ?? rowsOf(steps[0]!.input) ?? 1;
}

/** About how many products of weights and rows a chunk makes. */
function workOf({ params, steps }: ChunkInputs<unknown, unknown, unknown, unknown>, rows: number) {
  const weights = tree.leaves(params).reduce((sum, { size }) => sum + size, 0);
  return weights * rows * steps.length;
}

/** The first step, as a chunk of one. */
function firstStep<Inputs extends { readonly steps: readonly unknown[] }>(inputs: Inputs): Inputs {
  return { ...inputs, steps: inputs.steps.slice(0, 1) };
}
