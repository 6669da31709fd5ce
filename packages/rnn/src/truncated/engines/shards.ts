import { ones, type Tensor, tree } from "@chronograd/autodiff";
import {
  joinParts,
  pairwiseSum,
  partsOf,
  type RecordedFunction,
  type Trial,
} from "@chronograd/autodiff/internal";
import type { Values } from "../../cell.ts";
import {
  type ChunkGradient,
  type ChunkInputs,
  type ChunkRun,
  type ChunkValue,
  type chunkOnTape,
  type LossSizes,
  numbersOf,
  withOwnFirst,
} from "./chunk.ts";

/** A chunk that ran for each shard of the rows. */
export interface ShardRuns<Params, State> {
  readonly values: readonly ChunkValue<State>[];
  readonly sizes: LossSizes;
  /** The gradients of each, from that of its state and weights of the losses. */
  pullback(
    states: readonly Values<State>[],
    weights: Tensor | undefined,
  ): readonly ChunkGradient<Params, State>[];
  end(reason: string): void;
}

/** What each shard of the rows is computed from. */
export function partsOfChunk<Params, State, X, Target>(
  { params, ...others }: ChunkInputs<Params, State, X, Target>,
  rows: number,
  count: number,
): ChunkInputs<Params, State, X, Target>[] {
  return partsOf(others, rows, count).map((part) => ({ params, ...part }));
}

/** Runs all shards at once, as plans. */
export function plannedRuns<Params, State, X, Target>(
  recorded: RecordedFunction<
    ChunkInputs<Params, State, X, Target>,
    ChunkValue<State>,
    ChunkGradient<Params, State>
  >,
  tensors: readonly (readonly Tensor[])[],
  sizes: LossSizes,
): ShardRuns<Params, State> {
  const runs = recorded.forwardShards(tensors);
  return {
    values: runs.map(({ value }) => value as unknown as ChunkValue<State>),
    sizes,
    pullback: (states, weights) => {
      const cotangents = states.map((state) => (weights ? { state, weights } : { state }));
      const gradients: unknown = recorded.backwardShards(runs, cotangents, weights ? 0 : 1);
      return gradients as ChunkGradient<Params, State>[];
    },
    end(reason) {
      for (const run of runs) run.end(reason);
    },
  };
}

/** Steps by which rows are told apart: a state that one of them gives enters the other. */
const trialSteps = 2;

/** The first steps of a chunk, and their gradient, for some or all rows. */
export function trialOf<Params, State, X, Target>(
  run: (
    inputs: ChunkInputs<Params, State, X, Target>,
  ) => ReturnType<typeof chunkOnTape<Params, State, X, unknown, Target>>,
  inputs: ChunkInputs<Params, State, X, Target>,
  rows: number,
  shards: number,
): Trial<ChunkInputs<Params, State, X, Target>> {
  const first = { ...inputs, steps: inputs.steps.slice(0, trialSteps) };
  const chunk = (given: typeof inputs) => run({ ...given, steps: given.steps.map(withOwnFirst) });
  return {
    inputs: first,
    rows,
    shards,
    axis: 0,
    parts: (given) => partsOfChunk(given, rows, shards),
    forward: (given) => chunk(given).computed.value.state,
    run(given) {
      const like = tree.leaves(given.params)[0] ?? tree.leaves(given.state)[0];
      const { computed, sizes } = chunk(given);
      const { value, pullbacks } = computed;
      const { losses, counts } = numbersOf("", value, sizes, 0);
      const arriving = tree.map(value.state, ({ shape, dtype, backend }: Tensor) =>
        ones(shape, { dtype, backend }),
      );
      const weights = ones(
        [first.steps.length],
        like && { dtype: like.dtype, backend: like.backend },
      );
      const gradient = pullbacks[0]!({ state: arriving, weights });
      return {
        rows: [value.state, gradient.state],
        sums: [losses, counts, gradient.params],
      };
    },
  };
}

/** What a shard of the rows threw, which counts rows from its first on, with where that is. */
export function ofShard(error: unknown, shard: number, count: number, rows: number): unknown {
  if (count === 1 || !(error instanceof Error)) return error;
  const own = rows / count;
  error.message += ` (in rows ${shard * own} to ${(shard + 1) * own - 1} of the batch, computed apart: positions count from the first of them)`;
  return error;
}

/** All rows of a chunk, from those of its shards. */
export function joined<Params, State>(
  where: string,
  { values, sizes, pullback, end }: ShardRuns<Params, State>,
  rows: number,
  start: number,
): ChunkRun<Params, State> {
  const numbers = values.map((value) => numbersOf(where, value, sizes, start));
  const sums = (name: "losses" | "counts") => sumsOf(numbers.map((each) => each[name]));
  const count = values.length;
  return {
    losses: sums("losses"),
    counts: sums("counts"),
    state: joinParts(
      values.map(({ state }) => state),
      rows,
    ),
    pullback(arriving, weights) {
      const gradients = pullback(partsOf(arriving, rows, count), weights);
      return {
        params: gradients.map(({ params }) => params),
        state: joinParts(
          gradients.map(({ state }) => state),
          rows,
        ),
      };
    },
    end,
  };
}

/** Sums of numbers at the same places. */
export function sumsOf(parts: readonly (readonly number[])[]): readonly number[] {
  return pairwiseSum(parts as [readonly number[], ...(readonly number[])[]], (a, b) =>
    a.map((x, i) => x + b[i]!),
  );
}
