import type { Rng } from "@chronograd/nn";
import type { Cell } from "../cell.ts";
import { batchOf } from "../checkRows.ts";
import { findTensor } from "../findTensor.ts";
import { likeParams } from "../initial.ts";
import { checkRng } from "../sequences/noise.ts";
import type { Unrolling } from "../sequences/unrollSteps.ts";
import type { ChunkInputs, Variable } from "./chunk.ts";
import { Division, emptinessOf } from "./division.ts";
import { Draws } from "./draws.ts";
import type { LoopMemory } from "./options.ts";
import { planRunner, type Runner, tapeRunner } from "./runner.ts";
import { inputsOfSequence, stepOf, stepsOf } from "./sequence.ts";

/** How a loop runs as one entry. */
export interface LoopOptions {
  readonly compile: boolean;
  readonly memory: LoopMemory;
  /** Bytes in use before anything was made for the loop. */
  readonly before: number;
}

/**
 * What a part of a sequence is run with, beside its inputs. It holds nothing that a tape watches.
 */
export interface Pieces<Params, State, X, Y> {
  readonly cell: Cell<Params, State, X, Y>;
  readonly reverse: boolean;
  readonly rng: Rng | null | undefined;
  readonly draws: Draws;
  readonly options: LoopOptions;
  /** Steps of the sequence before this part. */
  readonly offset: number;
}

/** The pieces of a whole sequence, and its inputs. */
export function piecesOf<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  xs: unknown,
  run: Unrolling<Params, State>,
  options: LoopOptions,
): readonly [Pieces<Params, State, X, Y>, ChunkInputs<Params, State>] {
  const { reverse, rng } = run;
  checkRng("unroll", cell, rng);
  const batch = batchOf(stepOf(xs, 0), "unroll");
  const like = likeParams([run.params, run.state ?? {}]);
  const draws = new Draws(cell, rng, batch, like);
  const inputs = inputsOfSequence(cell as Cell<Params, State>, xs, run, batch, like);
  return [{ cell, reverse, rng, draws, options, offset: 0 }, inputs];
}

/** How the chunks of a sequence run. */
export interface Layout<Params, State, Y> {
  readonly by: readonly Variable[];
  readonly runner: Runner<Params, State, Y>;
  readonly division: Division;
}

export function layoutOf<Params, State, X, Y>(
  { cell, reverse, options, offset }: Pieces<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
): Layout<Params, State, Y> {
  const by = variablesOf(inputs);
  const runner = options.compile
    ? planRunner<Params, State, X, Y>(cell, { reverse, by, offset })
    : tapeRunner<Params, State, X, Y>(cell, { reverse, by, offset });
  const emptiness = emptinessOf(inputs.mask, inputs.reset);
  const division = new Division(stepsOf(inputs.xs), reverse, runner.lengths, emptiness);
  return { by, runner, division };
}

/** What gradients are taken by: all that a tape watches a part of, and the state between. */
function variablesOf(inputs: ChunkInputs<unknown, unknown>): Variable[] {
  const isTracked = (name: Variable) =>
    findTensor(inputs[name], ({ tape }) => tape !== null) !== undefined;
  const names = (["params", "xs", "context"] as const).filter(isTracked);
  return names.length > 0 || isTracked("state") ? [...names, "state"] : [];
}
