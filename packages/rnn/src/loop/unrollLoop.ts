import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rngFrom } from "@chronograd/nn";
import type { Cell } from "../cell.ts";
import { batchOf } from "../checkRows.ts";
import { findTensor } from "../findTensor.ts";
import { initialState, likeParams } from "../initial.ts";
import { checkRng } from "../sequences/noise.ts";
import { detached, outputOfNone, type Unrolling, unrollSteps } from "../sequences/unrollSteps.ts";
import type { Unrolled } from "../unroll.ts";
import { type ChunkInputs, inputsOf, type Variable } from "./chunk.ts";
import { Division, emptinessOf } from "./division.ts";
import { Draws } from "./draws.ts";
import { asEntry } from "./entry.ts";
import { Loop } from "./loop.ts";
import { type ChunkCost, costOf, type Kept, keptWithin } from "./memory.ts";
import type { LoopMemory } from "./options.ts";
import { type Remembered, remembered } from "./remembered.ts";
import { planRunner, tapeRunner } from "./runner.ts";

/** Kernel memory of chunks that run as plans, and on tapes. */
const planned: Remembered<ChunkCost> = new WeakMap();
const recorded: Remembered<ChunkCost> = new WeakMap();

/** How a loop runs as one entry. */
export interface LoopOptions {
  readonly compile: boolean;
  readonly memory: LoopMemory;
  /** Bytes in use before anything was made for the loop. */
  readonly before: number;
}

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
  const { burnIn, context, rng, marks } = run;
  checkRng("unroll", cell, rng);
  const batch = batchOf(stepOf(xs, 0), "unroll");
  const like = likeParams([run.params, run.state ?? {}]);
  const inputs: ChunkInputs<Params, State> = {
    params: run.params,
    state: run.state ?? run.start(run.warm),
    xs: filledRows(xs, marks.mask),
    context,
    ...(marks.resets && { reset: marks.resets }),
    ...(marks.resets && !cell.initial && { fresh: initialState(cell, batch, like) }),
    ...(marks.mask && { mask: marks.mask, first: firstRows(marks.mask) }),
  };
  const draws = new Draws(cell, rng, batch, like);
  const pieces = { cell, run, draws, options };
  if (burnIn === 0) return loopOver({ ...pieces, isLast: true }, inputs);
  const early = { ...detached({ ...inputs, ...section(inputs, 0, burnIn) }), params: run.warm };
  const { state } = loopOver({ ...pieces, isLast: false }, early);
  const late = { ...inputs, ...section(inputs, burnIn, stepsOf(xs)), state };
  return loopOver({ ...pieces, isLast: true }, late);
}

/** What every part of a sequence is run with. */
interface Pieces<Params, State, X, Y> {
  readonly cell: Cell<Params, State, X, Y>;
  readonly run: Unrolling<Params, State>;
  readonly draws: Draws;
  readonly options: LoopOptions;
  /** Whether nothing is drawn after it. */
  readonly isLast: boolean;
}

function loopOver<Params, State, X, Y>(
  { cell, run, draws, options, isLast }: Pieces<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
): Unrolled<State, Y> {
  const { reverse, rng } = run;
  const by = variablesOf(inputs);
  const runner = options.compile
    ? planRunner<Params, State, X, Y>(cell, { reverse, by })
    : tapeRunner<Params, State, X, Y>(cell, { reverse, by });
  const steps = stepsOf(inputs.xs);
  const emptiness = emptinessOf(inputs.mask, inputs.reset);
  const division = new Division(steps, reverse, runner.lengths, emptiness);
  const { position } = draws;
  const keptBy = (given: ChunkInputs<Params, State>): Kept => {
    const { memory, before } = options;
    const chunks = division.count;
    if (memory === "all") return { states: 1, runs: chunks };
    if ("steps" in memory) return { states: memory.steps, runs: 1 };
    const { backend } = tree.leaves(given)[0]!;
    const costs = division.examples().map((chunk) => {
      const own = inputsOf(given, chunk);
      const settings = { ...chunk, reverse, by, isEmpty: false };
      return remembered(options.compile ? planned : recorded, cell, own, settings, () => {
        const others = draws.from(position);
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
    if (costs.length === 0) return { states: 1, runs: chunks };
    const used = backend.memory.bytesInUse - before;
    return keptWithin({ bytes: memory.bytes, used, chunks, steps, inputs: given, by, costs });
  };
  const start = (given: ChunkInputs<Params, State>): Loop<Params, State, Y> => {
    const outputOfEmptyStep = () => {
      const x = stepOf(given.xs, 0);
      const input = (given.context === undefined ? x : { x, context: given.context }) as X;
      return outputOfNone(cell, given.params, input, given.state);
    };
    const kept = keptBy(given);
    return new Loop({ runner, division, by, draws, kept, isLast, outputOfEmptyStep }, given);
  };
  const again = (given: ChunkInputs<Params, State>): Tensor => {
    const { params, state, xs, context, mask, reset } = given;
    const marks = { ...(mask && { mask }), ...(reset && { resets: reset }) };
    const parts = Array.from({ length: steps }, (_, t) => stepOf(xs, t) as X);
    const random = position === undefined ? rng : rngFrom(position.rng);
    const all = { ...run, params, state, context, marks, burnIn: 0, rng: random };
    return loop.results.pack(unrollSteps(cell, parts, all));
  };
  const { vector, loop } = asEntry(inputs, by, start, again);
  return loop.results.unpack(vector);
}

/** What gradients are taken by: all that a tape watches a part of, and the state between. */
function variablesOf(inputs: ChunkInputs<unknown, unknown>): Variable[] {
  const isTracked = (name: Variable) =>
    findTensor(inputs[name], ({ tape }) => tape !== null) !== undefined;
  const names = (["params", "xs", "context"] as const).filter(isTracked);
  return names.length > 0 || isTracked("state") ? [...names, "state"] : [];
}

function stepsOf(xs: unknown): number {
  return tree.leaves(xs)[0]!.shape[0]!;
}

function stepOf(xs: unknown, t: number): unknown {
  return tree.map(xs, (x: Tensor) => x.slice([t]));
}

/** What belongs to steps `from` to `to - 1`. */
function section<Params, State>(
  { xs, reset, mask, first }: ChunkInputs<Params, State>,
  from: number,
  to: number,
): Partial<ChunkInputs<Params, State>> {
  const part = (x: Tensor) => x.slice([[from, to]]);
  return {
    xs: tree.map(xs, part),
    ...(reset && { reset: part(reset) }),
    ...(mask && first && { mask: part(mask), first: part(first) }),
  };
}

/** Of each step, 1 at the first row that has it. */
function firstRows(mask: Tensor): Tensor {
  const { shape, backend } = mask;
  const [, rows] = shape as [number, number];
  const values = Int32Array.from(mask.toTypedArray());
  for (let row = 0, isFound = false; row < values.length; row++) {
    if (row % rows === 0) isFound = false;
    if (isFound) values[row] = 0;
    isFound ||= values[row] === 1;
  }
  return tensor(values, { shape, backend });
}

/**
 * Inputs `[T, B, ...]` whose places without a step are taken by the first row that has one. Here,
 * and not in a plan: that can check indices only where they come from outside.
 */
function filledRows(xs: unknown, mask: Tensor | undefined): unknown {
  if (mask === undefined) return xs;
  const [steps, rows] = mask.shape as [number, number];
  const present = mask.toTypedArray();
  const from = Int32Array.from(present, (_, i) => i);
  for (let t = 0; t < steps; t++) {
    const first = present.indexOf(1, t * rows);
    if (first < 0 || first >= (t + 1) * rows) continue;
    for (let i = t * rows; i < (t + 1) * rows; i++) if (present[i] === 0) from[i] = first;
  }
  const indices = tensor(from, { backend: mask.backend });
  return tree.map(xs, (x: Tensor) => {
    if (x.shape[1] !== rows) return x;
    return x
      .reshape([-1, ...x.shape.slice(2)])
      .gather(indices)
      .reshape(x.shape);
  });
}
