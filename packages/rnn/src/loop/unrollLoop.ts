import { scope } from "@chronograd/autodiff";
import { rngFrom } from "@chronograd/nn";
import type { Cell } from "../cell.ts";
import { detached, outputOfNone, type Unrolling, unrollSteps } from "../sequences/unrollSteps.ts";
import type { Unrolled } from "../unroll.ts";
import type { ChunkInputs } from "./chunk.ts";
import type { DrawPosition } from "./draws.ts";
import { asEntry, type EntryParts } from "./entry.ts";
import { keptOf } from "./kept.ts";
import { Loop } from "./loop.ts";
import type { Kept } from "./memory.ts";
import { apart, section, stepOf, stepsOf } from "./sequence.ts";
import {
  burnInOf,
  type ChunkedLoop,
  chunked,
  type LoopOptions,
  type LoopSetup,
  loopSetup,
} from "./setup.ts";

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
  const [setup, inputs] = loopSetup(cell, xs, run, options);
  const late = burnIn === 0 ? inputs : { ...inputs, ...section(inputs, burnIn, stepsOf(xs)) };
  try {
    const loop = chunked({ ...setup, offset: burnIn }, late);
    const early = burnIn === 0 ? undefined : burnInOf(setup, inputs, run);
    // What is too little memory is refused before anything runs.
    const kept = keptOf(loop, apart(detached(late)), early);
    const state = early === undefined ? late.state : warmedUp(...early);
    const parts = partsOfEntry(loop, kept);
    const { vector, results } = asEntry({ ...late, state }, loop.by, parts);
    return results.unpack(vector);
  } catch (error) {
    setup.draws.end("the loop that it was drawn for threw");
    throw error;
  }
}

/** The state after a burn-in, whose outputs are not wanted. */
function warmedUp<Params, State, X, Y>(
  loop: ChunkedLoop<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
): ChunkInputs<Params, State>["state"] {
  return scope(() => {
    const made = new Loop({ ...loop, kept: { states: 1, runs: 0 }, hasOutputs: false }, inputs);
    const vector = made.forward();
    return detached(made.results.unpack(vector).state);
  });
}

function partsOfEntry<Params, State, X, Y>(
  loop: ChunkedLoop<Params, State, X, Y>,
  kept: Kept,
): EntryParts<Params, State, Y> {
  const { cell } = loop;
  const { position } = loop.draws;
  return {
    start(inputs) {
      const outputOfEmptyStep = () => {
        const { params, xs, context, state } = inputs;
        const x = stepOf(xs, 0);
        return outputOfNone(cell, params, (context === undefined ? x : { x, context }) as X, state);
      };
      return new Loop({ ...loop, kept, hasOutputs: true, outputOfEmptyStep }, apart(inputs));
    },
    again: (inputs, { results }) => results.pack(plainly(loop, inputs, position)),
  };
}

/** The loop once more, as steps that tapes record. */
function plainly<Params, State, X, Y>(
  { cell, reverse, rng }: LoopSetup<Params, State, X, Y>,
  { params, state, xs, context, mask, reset }: ChunkInputs<Params, State>,
  position: DrawPosition | undefined,
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
