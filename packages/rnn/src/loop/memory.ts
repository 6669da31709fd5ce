import { type Backend, type Tensor, tree, zeros } from "@chronograd/autodiff";
import { bytesOf, Memory } from "@chronograd/autodiff/extend";
import { Region, within } from "@chronograd/autodiff/internal";
import type { ChunkInputs, Variable } from "./chunk.ts";
import type { Chunk } from "./chunks.ts";
import type { ChunkRun, Runner } from "./runner.ts";

/** What a loop keeps for its gradient. */
export interface Kept {
  /** States before chunks, the first one among them. */
  readonly states: number;
  /** The last chunks, with all that their pullbacks read. */
  readonly runs: number;
}

/** Kernel memory of a chunk, in bytes. */
export interface ChunkCost {
  /** At most, while it runs. */
  readonly run: number;
  /** While it waits for its pullback. */
  readonly waiting: number;
  /** At most, during the pullback, beside what waited. */
  readonly pullback: number;
  /** Of the state after it, in blocks of its own. */
  readonly state: number;
  /** Of what a step gives, in elements: floats and whole numbers; and of the state's floats. */
  readonly output: number;
  readonly wholeNumbers: number;
  readonly stateSize: number;
}

const measured = "it was made to measure memory";

/** Memory that small values take, such as scalars, in bytes. */
const slack = 2 ** 14;

/**
 * Runs a chunk and its pullback, and measures.
 *
 * @param inputs makes those of the chunk
 */
export function costOfChunk<Params, State, Y>(
  runner: Runner<Params, State, Y>,
  by: readonly Variable[],
  inputs: () => ChunkInputs<Params, State>,
  chunk: Chunk,
  memory: Backend["memory"],
): ChunkCost {
  const region = new Region();
  const start = memory.bytesInUse;
  try {
    let made: ChunkRun<State, Y>;
    const most = memory.peakDuring(() => {
      made = within(region, () => runner.run(inputs(), chunk, by.length > 0));
    });
    const run = made!;
    region.endWith(run);
    const peak = most - start;
    const waiting = memory.bytesInUse - start;
    const { outputs, state } = run.value;
    const cotangents: Record<string, Tensor> = {};
    let pullback = 0;
    within(region, () => {
      if (by.length === 0) return;
      for (const [path, { shape, dtype, backend }] of tree.leavesWithPath<Tensor>({
        outputs,
        state,
      })) {
        if (dtype !== "int32") cotangents[path] = zeros(shape, { dtype, backend });
      }
      const before = memory.bytesInUse;
      pullback = memory.peakDuring(() => run.pullback(cotangents)) - before;
    });
    return {
      run: peak,
      waiting,
      pullback,
      state: bytesTaken(state),
      output: elements(outputs, true) / chunk.length,
      wholeNumbers: elements(outputs, false) / chunk.length,
      stateSize: elements(state, true),
    };
  } finally {
    region.end(measured);
  }
}

/** Bytes that the tensors of a tree take, each in a block of its own. */
function bytesTaken(values: unknown): number {
  let sum = 0;
  for (const { size, dtype } of tree.leaves(values)) sum += Memory.sizeOf(size * bytesOf[dtype]);
  return sum;
}

/** Elements of the floats in a tree, or of the whole numbers. */
function elements(values: unknown, areFloats: boolean): number {
  let sum = 0;
  for (const { size, dtype } of tree.leaves(values)) {
    if ((dtype !== "int32") === areFloats) sum += size;
  }
  return sum;
}

/** Kernel memory of a loop, in bytes. */
export interface LoopCost {
  /** At most, from its call to the end of the sweep, where it keeps so many states and runs. */
  bytes(kept: Kept): number;
  /** Of one state. */
  readonly state: number;
  /** Of one run that waits. */
  readonly run: number;
}

/** What the cost of a loop is reckoned from. */
interface LoopSizes {
  /** What is in use for it before it begins, plans included. */
  readonly used: number;
  readonly steps: number;
  readonly inputs: ChunkInputs<unknown, unknown>;
  readonly by: readonly Variable[];
  /** Of a chunk of each length that it has. */
  readonly costs: readonly ChunkCost[];
}

export function costOfLoop({ used, steps, inputs, by, costs }: LoopSizes): LoopCost {
  const most = (of: (cost: ChunkCost) => number) => Math.max(0, ...costs.map(of));
  const state = most((cost) => cost.state);
  const run = most((cost) => cost.waiting);
  const transient = most((cost) => Math.max(cost.run, cost.waiting + cost.pullback));
  const { output = 0, wholeNumbers = 0, stateSize = 0 } = costs[0] ?? {};
  const floats = tree.leaves(inputs.state).find(({ dtype }) => dtype !== "int32");
  const vector = Memory.sizeOf((steps * output + stateSize) * bytesOf[floats?.dtype ?? "float32"]);
  const gradients = by.filter((name) => name !== "state").map((name) => bytesTaken(inputs[name]));
  // The vector, and on the way back its cotangent beside that of the outputs that it is made from.
  const results =
    (by.length === 0 ? 1 : 3) * vector +
    Memory.sizeOf(4 * steps * wholeNumbers) +
    gradients.reduce((a, b) => a + b, 0);
  // The first state is an input; two more are at hand, one that a burn-in left, and a cotangent.
  const bytes = ({ states, runs }: Kept) =>
    used + results + slack + (states + 3) * state + (runs - 1) * run + transient;
  return { bytes, state, run };
}

/**
 * What a loop can keep within its memory: every run, or else the states before all chunks and as
 * many runs as there is room for, or else as many states as there is room for; `undefined` where
 * there is no room for one state.
 */
export function keptWithin(bytes: number, chunks: number, cost: LoopCost): Kept | undefined {
  if (cost.bytes({ states: 1, runs: chunks }) <= bytes) return { states: 1, runs: chunks };
  const room = (states: number) => bytes - cost.bytes({ states, runs: 1 });
  if (room(1) < 0) return undefined;
  const states = Math.floor(room(0) / Math.max(1, cost.state));
  if (states < chunks) return { states, runs: 1 };
  // A run that waits needs no state before it.
  const more = Math.floor(room(chunks) / Math.max(1, cost.run - cost.state));
  return { states: chunks - more, runs: 1 + more };
}
