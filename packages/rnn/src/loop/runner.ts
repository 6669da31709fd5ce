import { scope, type Tensor } from "@chronograd/autodiff";
import type { Sharding, ValueAndPullbacks } from "@chronograd/autodiff/internal";
import type { Cell } from "../cell.ts";
import {
  type ChunkGradient,
  type ChunkInputs,
  type ChunkValue,
  inputsOf,
  runChunk,
  type Variable,
} from "./chunk.ts";
import type { Chunk } from "./chunks.ts";
import { type ChunkPlan, planOf } from "./plans.ts";

/** A forward run of a chunk. What it made lies in the region around the call. */
export interface ChunkRun<State, Y> {
  readonly value: ChunkValue<State, Y>;
  /**
   * Gradients by the variables, from cotangents by path: of `outputs` and of `state`. Those by the
   * parameters are a list: from each shard of the rows.
   */
  pullback(cotangents: Readonly<Record<string, Tensor>>): ChunkGradient;
  /** Returns what waits for the pullback. */
  end(reason: string): void;
}

/** Runs chunks of steps. */
export interface Runner<Params, State, Y> {
  /** Lengths of chunks, the longest first. */
  readonly lengths: readonly number[];
  /** Whether a chunk that runs again certainly gives the same. */
  readonly isRepeated: boolean;
  /** Kernel memory of the plans, and of those that were made for this loop, in bytes. */
  readonly plans: { readonly all: number; readonly made: number };
  /** Makes what all runs of such chunks share. */
  prepare(inputs: () => ChunkInputs<Params, State>, chunk: Chunk): void;
  /** How chunks run, in words. */
  explain(): string;
  /** @param keeps whether the pullback will be called */
  run(inputs: ChunkInputs<Params, State>, chunk: Chunk, keeps: boolean): ChunkRun<State, Y>;
}

/** What a runner knows of the loop. */
export interface RunnerSettings {
  readonly reverse: boolean;
  readonly by: readonly Variable[];
  readonly sharding: Sharding;
  /** Steps before those of the loop, for errors. */
  readonly offset: number;
}

/** Step by step, each on a tape of its own. */
export function tapeRunner<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  settings: RunnerSettings,
): Runner<Params, State, Y> {
  return {
    lengths: [1],
    isRepeated: false,
    plans: { all: 0, made: 0 },
    prepare() {},
    explain: () => "step by step on tapes, because compile is not true",
    run: (inputs, chunk, keeps) => onTape(cell, inputs, chunk, settings, keeps),
  };
}

/** Chunks as plans, but for steps that no row has. */
export function planRunner<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  settings: RunnerSettings,
): Runner<Params, State, Y> {
  const lengths = [16, 4, 1];
  const memory = { all: 0, made: 0 };
  /** By length; in one loop all chunks of a length look alike. */
  const plans = new Map<number, ChunkPlan<Params, State, Y>>();
  /** The shorter ones too, so that another number of steps needs no other plans. */
  const makePlans = (inputs: ChunkInputs<Params, State>, chunk: Chunk) => {
    for (const length of lengths) {
      if (length > chunk.length) continue;
      const noise = inputs.noise?.slice(0, length);
      const own = { ...inputsOf(inputs, { start: 0, length }), ...(noise && { noise }) };
      const start = settings.offset + chunk.start;
      const [plan, isNew] = planOf(
        cell,
        own,
        { ...settings, start, length, isEmpty: false },
        settings.sharding,
      );
      plans.set(length, plan);
      memory.all += plan.bytes;
      if (isNew) memory.made += plan.bytes;
    }
  };
  return {
    lengths,
    isRepeated: true,
    plans: memory,
    prepare(inputs, chunk) {
      if (!plans.has(chunk.length)) scope(() => makePlans(inputs(), chunk));
    },
    explain: () =>
      [...plans].map(([length, plan]) => `chunks of ${length}: ${plan.explain()}`).join("\n"),
    run(inputs, chunk, keeps) {
      if (chunk.kind !== "steps") return onTape(cell, inputs, chunk, settings, keeps);
      if (!plans.has(chunk.length)) makePlans(inputs, chunk);
      const plan = plans.get(chunk.length)!;
      plan.check(inputs);
      // What does not fit, such as an index out of range, the steps themselves say best.
      return plan.run(inputs) ?? onTape(cell, inputs, chunk, settings, keeps);
    },
  };
}

function onTape<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  chunk: Chunk,
  { reverse, by, offset }: RunnerSettings,
  keeps: boolean,
): ChunkRun<State, Y> {
  const isEmpty = chunk.kind !== "steps";
  const {
    value,
    pullbacks,
  }: ValueAndPullbacks<ChunkValue<State, Y>, ChunkGradient> = runChunk(cell, inputs, {
    length: chunk.length,
    start: offset + chunk.start,
    reverse,
    isEmpty,
    by: keeps ? by : [],
  });
  const pullback = (cotangents: unknown): ChunkGradient => {
    const { params, ...others } = pullbacks[0]!(cotangents);
    return { ...(params !== undefined && { params: [params] }), ...others };
  };
  return { value, pullback, end: () => {} };
}
