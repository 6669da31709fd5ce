import { tree } from "@chronograd/autodiff";
import { inputsOf } from "./chunk.ts";
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

/** What a loop keeps; throws a sentence where its memory is too small. */
export function keptOf<Params, State, X, Y>(
  pieces: Pieces<Params, State, X, Y>,
  layout: Layout<Params, State, Y>,
): Kept {
  const { memory, before } = pieces.options;
  const chunks = layout.division.count;
  if (memory === "all") return { states: 1, runs: chunks };
  if ("steps" in memory) return { states: memory.steps, runs: 1 };
  const { backend } = tree.leaves(pieces.inputs)[0]!;
  const cost = costIn(pieces, layout);
  const used = backend.memory.bytesInUse - before;
  const kept = keptWithin(memory.bytes - used, chunks, cost);
  if (kept !== undefined) return kept;
  const loops = partsOf(memory);
  const least = loops * (used + cost.bytes({ states: 1, runs: 1 }));
  const each = loops === 1 ? "" : `, an equal part for each of ${loops} loops`;
  throw new RangeError(
    `unroll: memory { bytes: ${loops * memory.bytes} } is less than this model takes, which needs { bytes: ${least} } at least${each}, to keep one state and run all ${layout.division.steps} steps again for each; give it more, or shorten the sequence`,
  );
}

/** Kernel memory of chunks that run as plans, and on tapes. */
const planned: Remembered<ChunkCost> = new WeakMap();
const recorded: Remembered<ChunkCost> = new WeakMap();

/** What a loop costs, measured on a chunk of each length. */
export function costIn<Params, State, X, Y>(
  { cell, run: { reverse }, inputs, draws, options }: Pieces<Params, State, X, Y>,
  { by, runner, division }: Layout<Params, State, Y>,
): LoopCost {
  const { backend } = tree.leaves(inputs)[0]!;
  const costs = division.examples().map((chunk) => {
    const own = inputsOf(inputs, chunk);
    const settings = [chunk.length, reverse, by];
    return remembered(options.compile ? planned : recorded, cell, own, settings, () => {
      const others = draws.from(draws.position);
      const noisy = () => {
        const noise = others.next(chunk.length);
        return { ...own, ...(noise && { noise }) };
      };
      try {
        return costOf(runner, by, noisy, chunk, backend);
      } finally {
        others.end("it was made to measure memory");
      }
    });
  });
  return costOfLoop(division.steps, inputs, by, costs);
}
