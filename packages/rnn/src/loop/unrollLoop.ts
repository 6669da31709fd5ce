import { scope } from "@chronograd/autodiff";
import { rngFrom } from "@chronograd/nn";
import type { Cell } from "../cell.ts";
import { detached, outputOfNone, type Unrolling, unrollSteps } from "../sequences/unrollSteps.ts";
import type { Unrolled } from "../unroll.ts";
import type { ChunkInputs } from "./chunk.ts";
import type { Drawn } from "./draws.ts";
import { asEntry, type EntryParts } from "./entry.ts";
import { keptOf } from "./kept.ts";
import { Loop } from "./loop.ts";
import type { Kept } from "./memory.ts";
import { type Layout, type LoopOptions, layoutOf, type Pieces, piecesOf } from "./pieces.ts";
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
  const [whole, inputs] = piecesOf(cell, xs, run, options);
  const late = burnIn === 0 ? inputs : { ...inputs, ...section(inputs, burnIn, stepsOf(xs)) };
  const pieces = { ...whole, offset: burnIn };
  try {
    const layout = layoutOf(pieces, late);
    // What is too little memory is refused before anything runs.
    const kept = keptOf(pieces, detached(late), layout);
    const state = burnIn === 0 ? late.state : warmedUp(whole, inputs, run);
    return loopOver(pieces, { ...late, state }, layout, kept);
  } catch (error) {
    pieces.draws.end("the loop that it was drawn for threw");
    throw error;
  }
}

/** The state after the burn-in, whose outputs are not wanted. */
function warmedUp<Params, State, X, Y>(
  pieces: Pieces<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  { burnIn, warm }: Unrolling<Params, State>,
): ChunkInputs<Params, State>["state"] {
  const early = { ...detached({ ...inputs, ...section(inputs, 0, burnIn) }), params: warm };
  const layout = layoutOf(pieces, early);
  return scope(() => {
    const kept = { states: 1, runs: 0 };
    const loop = new Loop({ ...pieces, ...layout, kept, hasOutputs: false }, early);
    const vector = loop.forward();
    return detached(loop.results.unpack(vector).state);
  });
}

function loopOver<Params, State, X, Y>(
  pieces: Pieces<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  layout: Layout<Params, State, Y>,
  kept: Kept,
): Unrolled<State, Y> {
  const { vector, loop } = asEntry(inputs, layout.by, partsOfEntry(pieces, layout, kept));
  return loop.results.unpack(vector);
}

function partsOfEntry<Params, State, X, Y>(
  pieces: Pieces<Params, State, X, Y>,
  layout: Layout<Params, State, Y>,
  kept: Kept,
): EntryParts<Params, State, Y> {
  const { cell, draws, rng } = pieces;
  const { position } = draws;
  return {
    start(inputs) {
      const outputOfEmptyStep = () => {
        const { params, xs, context, state } = inputs;
        const x = stepOf(xs, 0);
        return outputOfNone(cell, params, (context === undefined ? x : { x, context }) as X, state);
      };
      const settings = { ...pieces, ...layout, kept, hasOutputs: true, outputOfEmptyStep };
      return new Loop(settings, inputs);
    },
    again: (inputs, loop) => loop.results.pack(plainly(pieces, inputs, rng, position)),
  };
}

/** The loop once more, as steps that tapes record. */
function plainly<Params, State, X, Y>(
  { cell, reverse }: Pieces<Params, State, X, Y>,
  { params, state, xs, context, mask, reset }: ChunkInputs<Params, State>,
  rng: Unrolling<Params, State>["rng"],
  position: Drawn | undefined,
): Unrolled<State, Y> {
  const steps = Array.from({ length: stepsOf(xs) }, (_, t) => stepOf(xs, t) as X);
  return unrollSteps(cell, steps, {
    ...{ params, warm: params, state, context, reverse, burnIn: 0 },
    marks: { ...(mask && { mask }), ...(reset && { resets: reset }) },
    rng: position === undefined ? rng : rngFrom(position.rng),
    noise: position?.noise,
    start: () => state,
  });
}
