import { scope, tree } from "@chronograd/autodiff";
import { type ChunkCache, cached } from "./cache.ts";
import { type ChunkInputs, inputsOf } from "./chunk.ts";
import {
  type ChunkCost,
  costOfChunk,
  costOfLoop,
  type Kept,
  keptWithin,
  type LoopCost,
} from "./memory.ts";
import type { ChunkedLoop } from "./setup.ts";

/**
 * What a loop keeps.
 *
 * @param inputs of the whole sequence, which no tape watches
 * @param early the burn-in before it, and its inputs
 * @throws where its memory is too small
 */
export function keptOf<Params, State, X, Y>(
  loop: ChunkedLoop<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  early?: readonly [ChunkedLoop<Params, State, X, Y>, ChunkInputs<Params, State>],
): Kept {
  const { memory } = loop.options;
  const { count, steps } = loop.chunks;
  if (memory === "all") return { states: 1, runs: count };
  if ("steps" in memory) return { states: Math.min(memory.steps, count), runs: 1 };
  const cost = costOf(loop, inputs, early);
  const kept = keptWithin(memory.bytes, count, cost);
  if (kept !== undefined) return kept;
  const { least } = cost;
  throw new RangeError(
    `unroll: memory { bytes: ${memory.bytes} } is less than this model takes, which needs { bytes: ${least} } at least, to keep one state and run all ${steps} steps again for each; give it more, or shorten the sequence`,
  );
}

/** Kernel memory of chunks that run as plans, and on tapes. */
const planned: ChunkCache = new WeakMap();
const recorded: ChunkCache = new WeakMap();

/** What a loop costs, and the burn-in before it, measured on a chunk of each length. */
export function costOf<Params, State, X, Y>(
  loop: ChunkedLoop<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  early?: readonly [ChunkedLoop<Params, State, X, Y>, ChunkInputs<Params, State>],
): LoopCost {
  const { memory } = tree.leaves(inputs)[0]!.backend;
  const parts = early === undefined ? [] : [costsOf(...early)];
  const costs = costsOf(loop, inputs);
  const runners = early === undefined ? [loop.runner] : [loop.runner, early[0].runner];
  let used = memory.bytesInUse - loop.options.before;
  for (const { plans } of runners) used += plans.all - plans.made;
  const { by, chunks } = loop;
  return costOfLoop({ used, steps: chunks.steps, inputs, by, costs, early: parts.flat() });
}

function costsOf<Params, State, X, Y>(
  { cell, reverse, draws, options, by, runner, chunks }: ChunkedLoop<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
): readonly ChunkCost[] {
  const { memory } = tree.leaves(inputs)[0]!.backend;
  return chunks.examples().map((chunk) => {
    const own = inputsOf(inputs, chunk);
    const others = draws.from(draws.position);
    const noisy = () => {
      const noise = others.next(chunk.length);
      return { ...own, ...(noise && { noise }) };
    };
    const settings = [chunk.length, reverse, by, ...Object.values(options.sharding)];
    try {
      runner.prepare(noisy, chunk);
      return cached<ChunkCost>(options.compile ? planned : recorded, cell, own, settings, () =>
        scope(() => costOfChunk(runner, by, noisy, chunk, memory)),
      );
    } finally {
      others.end("it was made to measure memory");
    }
  });
}
