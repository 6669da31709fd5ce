import type { Sharding } from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import type { Cell } from "../cell.ts";
import { batchOf } from "../checkRows.ts";
import { findTensor } from "../findTensor.ts";
import { likeParams } from "../initial.ts";
import { checkRng } from "../sequences/noise.ts";
import { detached, type Unrolling } from "../sequences/unrollSteps.ts";
import type { ChunkInputs, Variable } from "./chunk.ts";
import { Chunks, emptinessOf } from "./chunks.ts";
import { Draws } from "./draws.ts";
import type { LoopMemory } from "./options.ts";
import { planRunner, type Runner, tapeRunner } from "./runner.ts";
import { apart, inputsOfSequence, section, stepOf, stepsOf } from "./sequence.ts";

/** How a loop runs as one entry. */
export interface LoopOptions {
  readonly compile: boolean;
  readonly memory: LoopMemory;
  readonly sharding: Sharding;
  /** Bytes in use before anything was made for the loop. */
  readonly before: number;
}

/**
 * What a part of a sequence is run with, beside its inputs. It holds nothing that a tape watches.
 */
export interface LoopSetup<Params, State, X, Y> {
  readonly cell: Cell<Params, State, X, Y>;
  readonly reverse: boolean;
  readonly rng: Rng | null | undefined;
  readonly draws: Draws;
  readonly options: LoopOptions;
  /** Steps of the sequence before this part. */
  readonly offset: number;
}

/** The setup of a whole sequence, and its inputs. */
export function loopSetup<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  xs: unknown,
  run: Unrolling<Params, State>,
  options: LoopOptions,
): readonly [LoopSetup<Params, State, X, Y>, ChunkInputs<Params, State>] {
  const { reverse, rng } = run;
  checkRng("unroll", cell, rng);
  const batch = batchOf(stepOf(xs, 0), "unroll");
  const like = likeParams([run.params, run.state ?? {}]);
  const draws = new Draws(cell, rng, batch, like);
  const inputs = inputsOfSequence(cell as Cell<Params, State>, xs, run, batch, like);
  return [{ cell, reverse, rng, draws, options, offset: 0 }, inputs];
}

/** A part of a sequence in chunks, and how these run. */
export interface ChunkedLoop<Params, State, X, Y> extends LoopSetup<Params, State, X, Y> {
  readonly by: readonly Variable[];
  readonly runner: Runner<Params, State, Y>;
  readonly chunks: Chunks;
}

/** @param by what gradients are taken by: unless given, all that a tape watches a part of */
export function chunked<Params, State, X, Y>(
  setup: LoopSetup<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  by: readonly Variable[] = variablesOf(inputs),
): ChunkedLoop<Params, State, X, Y> {
  const { cell, reverse, options, offset } = setup;
  const makeRunner = options.compile ? planRunner : tapeRunner;
  const runner = makeRunner(cell, { reverse, by, offset, sharding: options.sharding });
  const emptiness = emptinessOf(inputs.mask, inputs.reset);
  const chunks = new Chunks(stepsOf(inputs.xs), reverse, runner.lengths, emptiness);
  return { ...setup, by, runner, chunks };
}

/** The steps that warm up the state, and their inputs, which no tape watches. */
export function burnInOf<Params, State, X, Y>(
  setup: LoopSetup<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  { burnIn, warm }: Unrolling<Params, State>,
): readonly [loop: ChunkedLoop<Params, State, X, Y>, inputs: ChunkInputs<Params, State>] {
  const early = { ...inputs, ...section(inputs, 0, burnIn) };
  const own = apart({ ...detached(early), params: warm });
  return [chunked(setup, own), own];
}

/** All that a tape watches a part of, and the state between. */
function variablesOf(inputs: ChunkInputs<unknown, unknown>): Variable[] {
  const isTracked = (name: Variable) =>
    findTensor(inputs[name], ({ tape }) => tape !== null) !== undefined;
  const names = (["params", "xs", "context"] as const).filter(isTracked);
  return names.length > 0 || isTracked("state") ? [...names, "state"] : [];
}
