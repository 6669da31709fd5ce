import { scope, type Tensor, tree, zeros } from "@chronograd/autodiff";
import {
  CheckSchedule,
  PurityCheck,
  planRows,
  RecordedFunction,
  type RowPlan,
  type Sharding,
  type Shards,
  shardsOf,
  whyDependent,
} from "@chronograd/autodiff/internal";
import type { Cell } from "../cell.ts";
import { rowsOf } from "../checkRows.ts";
import { dependent } from "../sharding/options.ts";
import { type ChunkCache, cached } from "./cache.ts";
import {
  type ChunkGradient,
  type ChunkInputs,
  type ChunkSettings,
  type ChunkValue,
  runChunk,
} from "./chunk.ts";
import { NotLoopable } from "./notLoopable.ts";
import type { ChunkRun } from "./runner.ts";
import { joinGradients, joinValues, partsOfChunk, partsOfCotangents, trialOf } from "./shards.ts";

/** A run may wait for its pullback: a plan that gave way is gone when the last of them is. */
const plans: ChunkCache = new WeakMap();

/** The plan of a chunk: made now, or kept with the cell since a chunk that looked alike. */
export function planOf<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  settings: ChunkSettings,
  sharding: Sharding,
): readonly [plan: ChunkPlan<Params, State, Y>, isNew: boolean] {
  const { memory } = tree.leaves(inputs)[0]!.backend;
  const rows = rowsOfChunk(inputs);
  const weights = tree.leaves(inputs.params).reduce((sum, { size }) => sum + size, 0);
  const shards = shardsOf("unroll", sharding, rows, weights * rows * settings.length);
  let isNew = false;
  const make = () => {
    isNew = true;
    const before = memory.bytesInUse;
    const made = scope(
      () =>
        new ChunkPlan<Params, State, Y>(
          cell as Cell<Params, State, never, Y>,
          inputs,
          settings,
          shards,
        ),
    );
    made.bytes = memory.bytesInUse - before;
    return made;
  };
  const { length, reverse, by } = settings;
  const key = [length, reverse, by, ...Object.values(shards)];
  const plan = cached(plans, cell, inputs, key, make);
  if (shards.isOrdered === true && plan.whyAlone !== undefined)
    throw dependent("unroll", plan.whyAlone);
  return [plan, isNew];
}

/** A chunk of steps, and its pullback, as plans. */
export class ChunkPlan<Params, State, Y> {
  readonly #plan: RowPlan<
    RecordedFunction<ChunkInputs<Params, State>, ChunkValue<State, Y>, ChunkGradient>
  >;
  readonly #purity: PurityCheck<ChunkInputs<Params, State>>;
  readonly #cell: object;
  readonly #settings: ChunkSettings;
  readonly #checks = new CheckSchedule();
  readonly #rows: number;
  /** Kernel memory, in bytes. */
  bytes = 0;
  /** Milliseconds of the latest run. */
  #run = 0;

  /** @throws when the steps cannot be planned */
  constructor(
    cell: Cell<Params, State, never, Y>,
    inputs: ChunkInputs<Params, State>,
    settings: ChunkSettings,
    shards: Shards,
  ) {
    this.#rows = rowsOfChunk(inputs);
    const one = { ...settings, length: 1, by: [] };
    const step = stepOf(cell, one);
    const { outputs, state } = step(firstStep(inputs, settings));
    const purity = PurityCheck.of(step, firstStep(inputs, settings));
    const chunk = (given: ChunkInputs<Params, State>) => runChunk(cell, given, settings);
    const planned = (own: Shards) => {
      const [given] = partsOfChunk(inputs, this.#rows, own.count);
      const cotangents: Record<string, Tensor> = {};
      for (const [path, { shape, dtype, backend }] of tree.leavesWithPath({ outputs, state })) {
        if (dtype === "int32") continue;
        const isTimed = path.startsWith("outputs");
        const whole = isTimed ? [settings.length, ...shape.slice(1)] : [...shape];
        const axis = isTimed ? 1 : 0;
        if (whole[axis] === this.#rows) whole[axis] = this.#rows / own.count;
        cotangents[path] = zeros(whole, { dtype, backend });
      }
      return RecordedFunction.plan(
        chunk,
        given!,
        settings.by.length === 0 ? [] : [cotangents],
        own,
      );
    };
    const whyRowsDepend = () => {
      const run = (given: ChunkInputs<Params, State>, length: number) =>
        runChunk(cell, given, { ...settings, length });
      return scope(() => whyDependent(trialOf(run, inputs, this.#rows, shards.count)));
    };
    const plan = typeof purity === "string" ? purity : planRows(shards, whyRowsDepend, planned);
    if (typeof purity === "string" || typeof plan === "string") {
      if (typeof purity !== "string") purity.end();
      throw new NotLoopable(
        `unroll: compile takes steps that can be planned, and this model's cannot, because ${plan}; leave out the option${/random/.test(String(plan)) ? ", or draw random numbers as noise of the cell" : ""}`,
      );
    }
    this.#plan = plan;
    this.#cell = cell;
    this.#purity = purity;
    this.#settings = settings;
  }

  /** Why rows are not cut, although there are threads. */
  get whyAlone(): string | undefined {
    return this.#plan.whyAlone;
  }

  /** Now and then, throws when a step read something that has changed since it was recorded. */
  check(inputs: ChunkInputs<Params, State>): void {
    if (!this.#checks.isDue()) return;
    const start = performance.now();
    const difference = this.#purity.differenceNow(firstStep(inputs, this.#settings));
    this.#checks.took(performance.now() - start, this.#run);
    if (difference === undefined) return;
    // What was recorded is worth nothing any more: the next call records anew.
    plans.delete(this.#cell);
    throw new Error(
      `unroll: the model is not what compile: true recorded, since it takes something from outside that has changed: ${difference}; give it as part of the parameters, the inputs or the context, or leave compile out`,
    );
  }

  /** The chunk run forward; `undefined` where its inputs are not those of the plan. */
  run(inputs: ChunkInputs<Params, State>): ChunkRun<State, Y> | undefined {
    const rows = this.#rows;
    const { recorded, shards: count } = this.#plan;
    const parts = partsOfChunk(inputs, rows, count);
    const tensors = recorded.tensorsOf(parts);
    if (tensors === undefined) return undefined;
    const start = performance.now();
    const runs = recorded.forwardShards(tensors);
    this.#run = performance.now() - start;
    const values = runs.map(({ value }) => value as unknown as ChunkValue<State, Y>);
    return {
      value: joinValues(values, rows),
      pullback: (cotangents) => {
        const given = partsOfCotangents(cotangents, rows, count);
        const gradients: unknown = recorded.backwardShards(runs, given);
        return joinGradients(gradients as ChunkGradient[], inputs, rows);
      },
      end(reason) {
        for (const run of runs) run.end(reason);
      },
    };
  }

  explain(): string {
    const rows =
      this.whyAlone === undefined ? "" : `; all rows on one thread, because ${this.whyAlone}`;
    return this.#plan.recorded.explain() + rows;
  }
}

/** One step. It stays with the plan, so it holds nothing but what it needs. */
function stepOf<Params, State, Y>(cell: Cell<Params, State, never, Y>, settings: ChunkSettings) {
  return (given: ChunkInputs<Params, State>) => runChunk(cell, given, settings).value;
}

/** The rows of a chunk: of its state, or of its input where that has none. */
function rowsOfChunk({ state, xs }: ChunkInputs<unknown, unknown>): number {
  return rowsOf(state) ?? tree.leaves(xs).find(({ rank }) => rank > 1)?.shape[1] ?? 1;
}

/** The inputs of the step that runs first. */
function firstStep<Params, State>(
  inputs: ChunkInputs<Params, State>,
  { length, reverse }: ChunkSettings,
): ChunkInputs<Params, State> {
  const at = reverse ? length - 1 : 0;
  const step = (x: Tensor) => x.slice([[at, at + 1]]);
  const { xs, reset, mask, first, noise, ...shared } = inputs;
  return {
    ...shared,
    ...(tree.map({ xs, ...(reset && { reset }), ...(mask && { mask, first }) }, step) as {
      xs: unknown;
    }),
    ...(noise && { noise: noise.slice(0, 1) }),
  };
}
