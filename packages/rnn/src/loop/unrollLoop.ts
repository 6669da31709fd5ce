import type { Tensor } from "@chronograd/autodiff";
import { rngFrom } from "@chronograd/nn";
import type { Cell } from "../cell.ts";
import { detached, outputOfNone, type Unrolling, unrollSteps } from "../sequences/unrollSteps.ts";
import type { Unrolled } from "../unroll.ts";
import type { ChunkInputs } from "./chunk.ts";
import { asEntry } from "./entry.ts";
import { keptOf } from "./kept.ts";
import { Loop } from "./loop.ts";
import { type LoopOptions, layoutOf, type Pieces, piecesOf } from "./pieces.ts";
import { section, stepOf, stepsOf } from "./sequence.ts";

/**
 * `unroll` as one entry of the tape around it.
 *
 * @param xs the input of all steps, time first
 */
export function unrollLoop<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  xs: unknown,
  run: Unrolling<Params, State>,
  options: LoopOptions,
): Unrolled<State, Y> {
  const { burnIn } = run;
  const pieces = piecesOf(cell, xs, run, options);
  const { inputs } = pieces;
  try {
    if (burnIn === 0) return loopOver(pieces, true);
    const late = { ...inputs, ...section(inputs, burnIn, stepsOf(xs)) };
    const rest = { ...pieces, inputs: late, offset: burnIn };
    // What is too little memory is refused before anything runs.
    keptOf(rest, layoutOf(rest));
    const early = { ...detached({ ...inputs, ...section(inputs, 0, burnIn) }), params: run.warm };
    const warmUp = { ...pieces, inputs: early, options: { ...options, memory: "all" as const } };
    const { state } = loopOver(warmUp, false);
    return loopOver({ ...rest, inputs: { ...late, state } }, true);
  } catch (error) {
    pieces.draws.end("the loop that it was drawn for threw");
    throw error;
  }
}

/** @param isLast whether nothing is drawn after it */
function loopOver<Params, State, X, Y>(
  pieces: Pieces<Params, State, X, Y>,
  isLast: boolean,
): Unrolled<State, Y> {
  const { cell, run, draws, inputs, offset } = pieces;
  const { by, runner, division } = layoutOf(pieces);
  const { position } = draws;
  const start = (given: ChunkInputs<Params, State>): Loop<Params, State, Y> => {
    const outputOfEmptyStep = () => {
      const x = stepOf(given.xs, 0);
      const input = (given.context === undefined ? x : { x, context: given.context }) as X;
      return outputOfNone(cell, given.params, input, given.state);
    };
    const kept = keptOf({ ...pieces, inputs: given }, { by, runner, division });
    const settings = { runner, division, by, draws, kept, isLast, offset, outputOfEmptyStep };
    return new Loop(settings, given);
  };
  const again = (given: ChunkInputs<Params, State>): Tensor => {
    const { params, state, xs, context, mask, reset } = given;
    const marks = { ...(mask && { mask }), ...(reset && { resets: reset }) };
    const parts = Array.from({ length: stepsOf(xs) }, (_, t) => stepOf(xs, t) as X);
    const rng = position === undefined ? run.rng : rngFrom(position.rng);
    const { noise } = position ?? {};
    const all = { ...run, params, state, context, marks, burnIn: 0, rng, noise };
    return loop.results.pack(unrollSteps(cell, parts, all));
  };
  const { vector, loop } = asEntry(inputs, by, start, again);
  return loop.results.unpack(vector);
}
