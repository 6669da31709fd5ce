import { scope, tree } from "@chronograd/autodiff";
import { type ChunkInputs, inputsOf } from "./chunk.ts";
import {
  type ChunkCost,
  costOf,
  costOfLoop,
  type Kept,
  keptWithin,
  type LoopCost,
} from "./memory.ts";
import { partsOf } from "./options.ts";
import type { Layout, Pieces } from "./pieces.ts";
import { type Remembered, remembered } from "./remembered.ts";

/**
 * What a loop keeps.
 *
 * @param inputs of the whole sequence, which no tape watches
 * @throws where its memory is too small
 */
export function keptOf<Params, State, X, Y>(
  pieces: Pieces<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  layout: Layout<Params, State, Y>,
): Kept {
  const { memory } = pieces.options;
  const { count, steps } = layout.division;
  if (memory === "all") return { states: 1, runs: count };
  if ("steps" in memory) return { states: Math.min(memory.steps, count), runs: 1 };
  const cost = costIn(pieces, inputs, layout);
  const kept = keptWithin(memory.bytes, count, cost);
  if (kept !== undefined) return kept;
  const loops = partsOf(memory);
  const least = loops * cost.bytes({ states: 1, runs: 1 });
  const each = loops === 1 ? "" : `, an equal part for each of ${loops} loops`;
  throw new RangeError(
    `unroll: memory { bytes: ${loops * memory.bytes} } is less than this model takes, which needs { bytes: ${least} } at least${each}, to keep one state and run all ${steps} steps again for each; give it more, or shorten the sequence`,
  );
}

/** Kernel memory of chunks that run as plans, and on tapes. */
const planned: Remembered<ChunkCost> = new WeakMap();
const recorded: Remembered<ChunkCost> = new WeakMap();

/** What a loop costs, measured on a chunk of each length. */
export function costIn<Params, State, X, Y>(
  { cell, reverse, draws, options }: Pieces<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  { by, runner, division }: Layout<Params, State, Y>,
): LoopCost {
  const { memory } = tree.leaves(inputs)[0]!.backend;
  const costs = division.examples().map((chunk) => {
    const own = inputsOf(inputs, chunk);
    const others = draws.from(draws.position);
    const noisy = () => {
      const noise = others.next(chunk.length);
      return { ...own, ...(noise && { noise }) };
    };
    const settings = [chunk.length, reverse, by];
    try {
      runner.prepare(noisy, chunk);
      return remembered(options.compile ? planned : recorded, cell, own, settings, () =>
        scope(() => costOf(runner, by, noisy, chunk, memory)),
      );
    } finally {
      others.end("it was made to measure memory");
    }
  });
  const { all, made } = runner.plans;
  const used = memory.bytesInUse - options.before - made + all;
  return costOfLoop({ used, steps: division.steps, inputs, by, costs });
}
