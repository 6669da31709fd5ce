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
  /** Bytes of each tensor of floats, and of all whole numbers, that a step gives. */
  readonly outputs: readonly number[];
  readonly wholeNumbers: number;
  /** Bytes of each tensor of floats in the state. */
  readonly states: readonly number[];
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
      outputs: floatsIn(outputs).map((bytes) => bytes / chunk.length),
      wholeNumbers: tree
        .leaves(outputs)
        .reduce((bytes, x) => bytes + (x.dtype === "int32" ? (4 * x.size) / chunk.length : 0), 0),
      states: floatsIn(state),
    };
  } finally {
    region.end(measured);
  }
}

/** Bytes that the tensors of a tree take, each in a block of its own. */
function bytesTaken(values: unknown): number {
  return sum(tree.leaves(values).map(({ size, dtype }) => Memory.sizeOf(size * bytesOf[dtype])));
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** Bytes of each tensor of floats in a tree. */
function floatsIn(values: unknown): number[] {
  const floats = tree.leaves(values).filter(({ dtype }) => dtype !== "int32");
  return floats.map(({ size, dtype }) => size * bytesOf[dtype]);
}

/** Kernel memory of a loop, in bytes. */
export interface LoopCost {
  /** At most, from its call to the end of the sweep, where it keeps so many states and runs. */
  bytes(kept: Kept): number;
  /** The least: of one that keeps one state. */
  readonly least: number;
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
  /** Of a chunk of each length that it has, and that the burn-in has. */
  readonly costs: readonly ChunkCost[];
  readonly early: readonly ChunkCost[];
}

export function costOfLoop({ used, steps, inputs, by, costs, early }: LoopSizes): LoopCost {
  const most = (of: (cost: ChunkCost) => number) => Math.max(0, ...costs.map(of));
  const state = most((cost) => cost.state);
  const run = most((cost) => cost.waiting);
  const transient = most((cost) => Math.max(cost.run, cost.waiting + cost.pullback));
  const [{ outputs, wholeNumbers, states }] = costs as [ChunkCost];
  const parts = [...outputs.map((bytes) => steps * bytes), ...states];
  const vector = Memory.sizeOf(sum(parts));
  const gradients = by.filter((name) => name !== "state").map((name) => bytesTaken(inputs[name]));
  // On the way back, the cotangent of the vector beside those of the parts that it is made from.
  const cotangents = by.length === 0 ? 0 : vector + sum(parts.map(Memory.sizeOf));
  const results = vector + Memory.sizeOf(steps * wholeNumbers) + cotangents + sum(gradients);
  // The first state is an input; two more are at hand, one that a burn-in left, and a cotangent.
  const whole = ({ states: kept, runs }: Kept) =>
    results + (kept + 3) * state + (runs - 1) * run + transient;
  const warmUp = 4 * state + Math.max(0, ...early.map((cost) => cost.run));
  const bytes = (kept: Kept) => used + slack + Math.max(warmUp, whole(kept));
  return { bytes, least: bytes({ states: 1, runs: 1 }), state, run };
}

/**
 * What a loop can keep within its memory: every run, or else the states before all chunks and as
 * many runs as there is room for, or else as many states as there is room for; `undefined` where
 * there is no room for one state.
 */
export function keptWithin(bytes: number, chunks: number, cost: LoopCost): Kept | undefined {
  if (cost.bytes({ states: 1, runs: chunks }) <= bytes) return { states: 1, runs: chunks };
  if (cost.least > bytes) return undefined;
  const room = (states: number) => bytes - cost.bytes({ states, runs: 1 });
  const states = 1 + Math.floor(room(1) / Math.max(1, cost.state));
  if (states < chunks) return { states, runs: 1 };
  // A run that waits needs no state before it.
  const more = Math.floor(room(chunks) / Math.max(1, cost.run - cost.state));
  return { states: chunks - more, runs: 1 + more };
}
