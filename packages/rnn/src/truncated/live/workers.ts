import { concat, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { type Communicator, gather } from "@chronograd/nn";
import { shardRows } from "@chronograd/nn/parallel";
import { rowsOf } from "../../checkRows.ts";
import { treeRows } from "../../derivatives/rows.ts";
import type { PreparedStep } from "../step.ts";
import type { LiveWindow } from "./liveWindow.ts";
import { Packing, unpack } from "./packing.ts";

type Step = PreparedStep<unknown, unknown>;
type Worker = Pick<Communicator, "rank" | "size">;

/**
 * The live window of all rows, from those of all workers, on every worker: as one worker alone
 * would have it. A checkpoint that holds it does not depend on the number of workers. All workers
 * must call it.
 *
 * @throws where steps hold noise, which each worker drew for its own rows
 *
 * @example
 * ```ts
 * import { type Tensor, tensor } from "@chronograd/autodiff";
 * import { rng, selfCommunicator } from "@chronograd/nn";
 * import { gatherLive, gru, initialParams, shardLive, truncated } from "@chronograd/rnn";
 *
 * const communicator = selfCommunicator; // in a worker: its own
 * const cell = gru({ input: 1, hidden: 2 });
 * const steps = [1, 2, 3, 4].map((x) => ({ input: tensor([[x]]), target: tensor([[0, 0]]) }));
 * const loss = (h: Tensor, target: Tensor) => h.sub(target).square();
 * const options = { k1: 2, k2: 3, loss, communicator };
 * const ends: number[] = [];
 * for (const window of truncated(cell, initialParams(cell, rng(1)), steps, options)) {
 *   const saved = gatherLive(communicator, window.live);
 *   // After a restart, with any number of workers:
 *   ends.push(shardLive(saved, communicator).end);
 * }
 * ends; // => [2, 4]
 * ```
 */
export function gatherLive(communicator: Communicator, live: LiveWindow): LiveWindow {
  return mergeLive(gather(communicator, live));
}

/** The live window of all rows, from those of all workers in the order of ranks. */
export function mergeLive(lives: readonly LiveWindow[]): LiveWindow {
  const where = "gatherLive";
  const [first] = lives as [LiveWindow];
  const parts = lives.map((live) => unpacked(live, where));
  const merged = (lists: readonly (readonly unknown[])[]) =>
    lists[0]!.map((_, i) => joined(lists.map((list) => list[i])));
  const ahead = Math.max(...parts.map(({ planned }) => planned.length));
  return packed(
    first,
    {
      states: merged(parts.map(({ states }) => states)),
      steps: parts[0]!.steps.map((_, i) => joinedStep(parts.map((part) => part.steps[i]!))),
      // Of a worker that has none, the first steps are as planned.
      planned: Array.from({ length: ahead }, (_, i) =>
        joinedStep(
          parts.map(({ planned, steps }) => (planned[i] ?? steps[i])!),
          true,
        ),
      ),
      generations: parts[0]!.generations,
    },
    lives.find(({ tape }) => tape !== null)?.tape ?? null,
    shardsOfAll(lives, parts),
    { rank: 0, size: 1 },
  );
}

/**
 * A worker's part of the live window of all rows, as `gatherLive` made it, for `resume`: its own
 * rows, as `shardRows` deals them out.
 *
 * @throws when there are fewer rows than workers, or the live window is one worker's among several
 */
export function shardLive(live: LiveWindow, worker: Worker): LiveWindow {
  const where = "shardLive";
  const { workers, compile } = live.settings;
  if (workers !== 1) {
    throw new RangeError(
      `${where}: the live window is that of one of ${workers} workers; save what gatherLive gives`,
    );
  }
  const parts = unpacked(live, where);
  const rows = (x: Tensor) => {
    const { start, end } = shardRows(x.shape[0]!, worker);
    return x.slice([[start, end]]);
  };
  const ofStep = ({ input, target, reset, mask, fresh }: Step): Step => ({
    ...treeRows({ input, target }, rows),
    ...(reset && { reset: rows(reset) }),
    ...(fresh !== undefined && { fresh: treeRows(fresh, rows) }),
    ...(mask && { mask: rows(mask) }),
  });
  const step = (all: Step): Step => {
    const own = ofStep(all);
    return { ...own, ...(own.mask && firstOf(own.mask, compile === true)) };
  };
  const planned = (all: Step): Step => {
    return { ...ofStep(all), ...(all.first && { first: rows(all.first) }) };
  };
  return packed(
    live,
    {
      states: parts.states.map((state) => treeRows(state, rows)),
      steps: parts.steps.map(step),
      planned: parts.planned.map(planned),
      generations: parts.generations,
    },
    live.tape,
    // As many of all workers as before, where they can be dealt out.
    dealt(
      live.shards / worker.size,
      parts.states.map((state) => treeRows(state, rows)),
    ),
    worker,
  );
}

/** The shards of all workers, where all rows can be cut into those. */
function shardsOfAll(lives: readonly LiveWindow[], parts: readonly Parts[]): number {
  const all = parts.map(({ states }) => rowsOf(states) ?? 0);
  const shards = lives.reduce((sum, live) => sum + live.shards, 0);
  const isAlike = lives.every((live) => live.shards === lives[0]!.shards);
  return isAlike && all.every((rows) => rows === all[0])
    ? dealt(shards, parts[0]!.states, lives.length)
    : 1;
}

/** So many shards, where rows can be cut into those; or else one. */
function dealt(shards: number, states: unknown, times = 1): number {
  const rows = (rowsOf(states) ?? 0) * times;
  return Number.isInteger(shards) && rows > 0 && rows % shards === 0 ? shards : 1;
}

interface Parts {
  readonly states: readonly unknown[];
  readonly steps: readonly Step[];
  readonly planned: readonly Step[];
  readonly generations: readonly { readonly params: unknown; readonly steps: number }[];
}

/** The parts of a live window that hold tensors. */
function unpacked({ states, steps, planned, generations, tensors }: LiveWindow, where: string) {
  const of = <T>(value: unknown) => unpack(where, value, tensors, "live") as T;
  const parts: Parts = {
    states: states.map((state) => of(state)),
    steps: steps.map((step) => of<Step>(step)),
    planned: planned.map((step) => of<Step>(step)),
    generations: generations.map(({ params, steps: count }) => {
      return { params: of(params), steps: count };
    }),
  };
  if (parts.steps.some(({ noise }) => noise !== undefined)) {
    throw new RangeError(
      `${where}: the steps of the live window hold noise, which each worker drew for its own rows; go on with the number of workers that it was saved with (gather), or begin the stream anew`,
    );
  }
  return parts;
}

function packed(
  { index, end, settings, model }: LiveWindow,
  { states, steps, planned, generations }: Parts,
  tape: string | null,
  shards: number,
  { rank, size }: Worker,
): LiveWindow {
  const packing = new Packing("live");
  const all = (list: readonly unknown[], path: string) =>
    list.map((part) => packing.pack(part, path));
  return {
    ...{ index, end, model, tape, shards },
    settings: { ...settings, worker: rank, workers: size },
    planned: all(planned, "planned"),
    states: all(states, "states"),
    steps: all(steps, "steps"),
    generations: generations.map(({ params, steps: count }) => {
      return { params: packing.pack(params, "params"), steps: count };
    }),
    tensors: packing.copies(),
  };
}

/** Trees of rows one below the other; tensors without axes are the same for all. */
function joined(trees: readonly unknown[]): unknown {
  const others = trees.slice(1).map((each) => tree.leaves(each));
  let leaf = 0;
  return tree.map(trees[0], (x: Tensor) => {
    const i = leaf++;
    return x.rank === 0 ? x : concat([x, ...others.map((leaves) => leaves[i]!)]);
  });
}

/** A step of all rows; of a planned one only the shapes count, and those of all workers. */
function joinedStep(steps: readonly Step[], isPlanned = false): Step {
  const { input, target } = joined(
    steps.map((step) => ({ input: step.input, target: step.target })),
  ) as Step;
  const masks = steps.flatMap(({ mask }) => (mask ? [mask] : []));
  const mask = masks.length === steps.length ? concat(masks) : undefined;
  const isMixed = steps.some(({ first, isEmpty }) => first !== undefined || isEmpty);
  return {
    ...{ input, target, ...joinedResets(steps) },
    ...(mask && { mask, ...(isPlanned ? isMixed && { first: mask } : firstOf(mask, isMixed)) }),
  };
}

/** Of workers without a reset, no row begins afresh; initial states are the same for all rows. */
function joinedResets(steps: readonly Step[]): Pick<Step, "reset" | "fresh"> {
  const some = steps.find(({ reset }) => reset !== undefined);
  if (some === undefined) return {};
  const { dtype, backend } = some.reset!;
  const rows = steps.map(({ input }) => tree.leaves(input).find(({ rank }) => rank > 0)!.shape[0]!);
  const none = (i: number) => zeros([rows[i]!], { dtype, backend });
  const reset = concat(steps.map((step, i) => step.reset ?? none(i)));
  if (some.fresh === undefined) return { reset };
  const tiled = (i: number) =>
    treeRows(some.fresh, (x) =>
      x.slice([[0, 1]]).tile([rows[i]!, ...x.shape.slice(1).map(() => 1)]),
    );
  return { reset, fresh: joined(steps.map(({ fresh }, i) => fresh ?? tiled(i))) };
}

/** The first row that has a step, where some have none or that must be said anyway. */
function firstOf(mask: Tensor, isSaid: boolean): Pick<Step, "first" | "isEmpty"> {
  const values = mask.toTypedArray();
  const first = values.indexOf(1);
  if (first === -1) return { isEmpty: true };
  if (!isSaid && !values.includes(0)) return {};
  return { first: tensor(Int32Array.from(values, (_, row) => (row === first ? 1 : 0))) };
}
