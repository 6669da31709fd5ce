import { type MapTree, type Shape, scope, stack, type Tensor, tree } from "@chronograd/autodiff";
import {
  checkOptions,
  describeTensor,
  isTracing,
  refuseTracing,
} from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "./cell.ts";
import { checkCell } from "./checkCell.ts";
import { textOf } from "./checkDefinition.ts";
import { batchOf, checkRows } from "./checkRows.ts";
import { checkState } from "./checkState.ts";
import { unrollLinear } from "./linear/unrollLinear.ts";
import { checkMemory, type LoopMemory } from "./loop/options.ts";
import type { LoopOptions } from "./loop/pieces.ts";
import { stepOf } from "./loop/sequence.ts";
import { unrollLoop } from "./loop/unrollLoop.ts";
import { joinTrees } from "./sequences/joinTrees.ts";
import { checkedMarks, type SequenceMarks } from "./sequences/marks.ts";
import { detached, type Unrolling, unrollSteps } from "./sequences/unrollSteps.ts";
import { startOf } from "./startOf.ts";

/** How `unroll` runs. */
export interface UnrollOptions<State> extends SequenceMarks {
  /**
   * The state before the first step, with a gradient where a tape watches it; the cell's initial
   * state unless given.
   */
  readonly state?: Values<State>;
  /**
   * Runs from the last step to the first; outputs keep their places in time. Each row begins with
   * its own last step, and a reset, which parts a step from the one before it in time, parts them
   * in this order too.
   */
  readonly reverse?: boolean;
  /**
   * Runs all steps at once, where the cell is linear in its state: the products of all steps as
   * one, then one scan. The same values and gradients, to rounding. A model of several cells runs
   * part by part, and those that are linear at once; noise is drawn in that order, so other than
   * step by step.
   */
  readonly parallel?: boolean;
  /**
   * Plans chunks of steps once and replays them, forward and back, as one entry of the tape around
   * it: for any number of steps, and in every later call with this cell and inputs of these
   * shapes. The step must be one that can be planned (see `compile`). False unless given.
   */
  readonly compile?: boolean;
  /**
   * What is kept for the gradient; the rest is run again when it is asked for, with the same noise.
   * `"all"`; `{ steps }`: the states of so many steps, the first one among them, placed so that the
   * fewest are run again (Griewank & Walther 2000); `{ bytes }`: as much as fits into so many bytes
   * of kernel memory, outputs and gradients included. The gradient is bitwise that of `"all"`, but
   * derivatives of it keep everything. Without `memory` and `compile`, the tape keeps every op.
   */
  readonly memory?: LoopMemory;
  /**
   * Steps at the beginning that warm up the state: no gradient flows through them, and they have no
   * outputs, so that those of T - burnIn steps remain. 0 unless given. Models of whole sequences
   * take none.
   */
  readonly burnIn?: number;
  /** A tree that all steps share; the input of a step is then `{ x, context }`. */
  readonly context?: unknown;
  /**
   * Draws the noise of a model that has some, such as masks of dropout; `null` runs it without, as
   * in evaluation.
   */
  readonly rng?: Rng | null;
}

/** What `unroll` returns: outputs stacked in time, and the state after the last step. */
export interface Unrolled<State, Y> {
  readonly outputs: MapTree<Y, Tensor>;
  readonly state: Values<State>;
}

/** A model that needs the whole sequence, such as a bidirectional one: it has no step. */
export interface SequenceModel<Params, State, Y = Tensor> {
  readonly params: Params;
  readonly state: State;
  /** The shape of one row of the input of a step, as `Cell` has it. */
  readonly input?: Shape;
  readonly noise?: unknown;
  unroll(
    params: Values<Params>,
    inputs: Tensor | readonly unknown[],
    options: UnrollOptions<State>,
  ): Unrolled<State, Y>;
}

/** One step of a sequence: with a context, the part of the input that is the step's own. */
type StepInput<X> =
  | X
  | (X extends { readonly x: infer Own; readonly context: unknown } ? Own : never);

/** All steps: time-major tensors, a tree of such, or a list of steps. */
export type UnrollInputs<X> = Tensor | readonly X[] | X;

const known = "state reverse parallel compile memory burnIn context rng lengths mask resets".split(
  " ",
);

/**
 * Runs a cell over a sequence.
 *
 * @param params the cell's parameters, watched by a tape or not
 * @param inputs time-major: `[T, B, ...]`, a tree of such, or a list of T inputs
 * @returns outputs `[T, B, ...]` (each leaf of the output's tree stacked; 0 where a row has no
 *   step) and the state after the last step of each row, both tracked by the tape that watches the
 *   parameters: nothing is cut
 * @throws for what is no model, when there is no step, or the rows of an input are not those of the
 *   state; for lengths, masks and resets that do not fit, and where the model draws noise and `rng`
 *   is not given; what a step throws names the step and is the `cause`
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, lstm, unroll } from "@chronograd/rnn";
 *
 * const cell = lstm({ input: 3, hidden: 5 });
 * const params = initialParams(cell, rng(1));
 * const { outputs, state } = unroll(cell, params, zeros([7, 2, 3]));
 * [outputs.shape, state.c.shape]; // => [[7, 2, 5], [2, 5]]
 *
 * // In two parts, the state handed on.
 * const xs = [tensor([[1, 0, 0]]), tensor([[0, 1, 0]]), tensor([[0, 0, 1]])];
 * const whole = unroll(cell, params, xs);
 * const first = unroll(cell, params, xs.slice(0, 2));
 * const second = unroll(cell, params, xs.slice(2), { state: first.state });
 * second.state.h.toArray(); // => whole.state.h.toArray()
 *
 * // Two rows of 7 and 3 steps: what stands behind the third step of the second is never read.
 * const ragged = unroll(cell, params, zeros([7, 2, 3]), { lengths: [7, 3] });
 * ragged.outputs.slice([3, 1]).toArray(); // => [0, 0, 0, 0, 0]
 * ```
 */
export function unroll<Params, State, X, Y>(
  model: Cell<Params, State, X, Y> | SequenceModel<Params, State, Y>,
  params: Values<Params>,
  inputs: UnrollInputs<StepInput<X>>,
  options: UnrollOptions<State> = {},
): Unrolled<State, Y> {
  checkCell("unroll", model, "any");
  checkUnroll(model, options);
  return scope(() => {
    const given = inputs as Tensor | readonly unknown[];
    if (!("step" in model)) return model.unroll(params, given, options);
    return options.parallel === true && model.unroll !== undefined
      ? model.unroll(params, given, options)
      : unrollCell(model, params, inputs as UnrollInputs<X>, options);
  });
}

/** Throws a sentence for options that are not those of `unroll`. @internal */
export function checkUnroll<State>(
  model: { readonly state: State },
  options: UnrollOptions<State>,
): void {
  checkOptions("unroll", options, known);
  const { state } = options;
  if (state !== undefined) checkState("unroll: the state", state, model.state);
  checkMemory(options.memory);
  for (const name of ["reverse", "parallel", "compile"] as const) {
    const value: unknown = options[name] ?? false;
    if (typeof value !== "boolean") {
      throw new TypeError(`unroll: ${name} must be true or false, got ${textOf(value)}`);
    }
  }
  if (options.parallel === true && (options.compile === true || options.memory !== undefined)) {
    throw new TypeError(
      "unroll: parallel runs all steps at once, and compile and memory run them one after the other; leave out parallel, or both of these",
    );
  }
}

function unrollCell<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  inputs: UnrollInputs<X>,
  options: UnrollOptions<State>,
): Unrolled<State, Y> {
  const { parallel = false } = options;
  const isLoop = isOneEntry(options);
  const { all, run, steps, loop } = prepared(cell, params, inputs, options, parallel || isLoop);
  if (isLoop) return unrollLoop(cell, all, run, loop);
  if (!parallel) return unrollSteps(cell, steps as readonly X[], run);
  checkRows("unroll", steps[0], options.state);
  return unrollLinear(cell, all, run) as Unrolled<State, Y>;
}

/** What a cell is run with, checked. */
interface PreparedUnroll<Params, State> {
  /** Time-major, where that is needed; else as they were given. */
  readonly all: unknown;
  readonly steps: readonly unknown[];
  readonly run: Unrolling<Params, State>;
  readonly loop: LoopOptions;
}

/**
 * Checks what a cell is run with.
 *
 * @param isWhole whether the inputs are needed time-major, and of the steps the first alone
 * @internal
 */
export function prepared<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  inputs: UnrollInputs<X>,
  options: UnrollOptions<State>,
  isWhole = true,
): PreparedUnroll<Params, State> {
  const { reverse = false, burnIn = 0, context, rng, compile = false, memory = "all" } = options;
  const before = memoryOf(params, inputs)?.bytesInUse ?? 0;
  if (!Array.isArray(inputs)) checkWhole(inputs);
  const count = Array.isArray(inputs) ? inputs.length : lengthOf(inputs);
  if (count === 0) throw new RangeError("unroll: expected at least one time step, got none");
  const isList = Array.isArray(inputs);
  const steps: readonly unknown[] = isList
    ? inputs
    : Array.from({ length: isWhole ? 1 : count }, (_, t) => stepOf(inputs, t));
  const [first] = steps;
  checkBurnIn(burnIn, count, reverse);
  const { backend } = tree.leaves(first)[0] ?? {};
  const run: Unrolling<Params, State> = {
    ...{ params, burnIn, reverse, context, rng, state: options.state },
    warm: burnIn === 0 ? params : detached(params),
    start: (weights) => startOf(cell, weights, first as X, "unroll"),
    marks: checkedMarks("unroll", options, count, () => batchOf(first, "unroll"), backend, reverse),
  };
  if (isList && isWhole) checkAlike(inputs);
  const all = isList && isWhole ? joinTrees(steps, (parts) => stack(parts)) : inputs;
  return { all: all as unknown, run, steps, loop: { compile, memory, before } };
}

/**
 * Whether the loop is one entry of the tape; in a function that is compiled, it is part of that.
 */
function isOneEntry({
  compile = false,
  memory,
}: Pick<UnrollOptions<never>, "compile" | "memory">): boolean {
  if (!compile && memory === undefined) return false;
  if (!isTracing()) return true;
  if (memory !== undefined && memory !== "all") {
    refuseTracing("unroll runs steps again to keep within its memory, which no plan does");
  }
  return false;
}

function checkBurnIn(burnIn: number, steps: number, reverse: boolean): void {
  if (!Number.isInteger(burnIn) || burnIn < 0 || burnIn >= steps) {
    throw new RangeError(
      `unroll: burnIn must be a whole number from 0 to ${steps - 1}, which leaves one of the ${steps} steps, got ${burnIn}`,
    );
  }
  if (reverse && burnIn > 0) {
    throw new TypeError(
      "unroll: burnIn warms up the state before the first step, and reverse begins with the last; leave one of them out",
    );
  }
}

function lengthOf(inputs: unknown): number {
  return tree.leaves(inputs)[0]!.shape[0]!;
}

/** Throws a sentence unless these are tensors with one number of steps as their first axis. */
function checkWhole(inputs: unknown): void {
  const leaves = tree.leavesWithPath(inputs);
  if (leaves.length === 0) {
    throw new TypeError(
      `unroll: inputs must be time-major tensors or an array of steps, got ${String(inputs)}`,
    );
  }
  const [[, first]] = leaves as [(typeof leaves)[number]];
  for (const [path, { rank, shape }] of leaves) {
    if (rank === 0)
      throw new RangeError("unroll: inputs must be time-major [T, B, ...], got a scalar");
    if (shape[0] === first.shape[0]) continue;
    throw new RangeError(
      `unroll: inputs must have one number of steps as their first axis, got ${first.shape[0]} and, at "${path}", ${shape[0]}`,
    );
  }
}

/** Throws a sentence unless all steps of a list look like the first. */
function checkAlike(steps: readonly unknown[]): void {
  const textOfStep = (step: unknown) =>
    tree
      .leavesWithPath(step)
      .map(([path, x]) => `${path === "" ? "" : `"${path}" `}${describeTensor(x)}`)
      .join(", ");
  const first = textOfStep(steps[0]);
  for (const [i, step] of steps.entries()) {
    const text = textOfStep(step);
    if (text === first) continue;
    throw new RangeError(
      `unroll: with compile, memory or parallel all steps are alike, and step 1 is ${first} and step ${i + 1} ${text}; leave these options out, or give time-major tensors and lengths`,
    );
  }
}

/** The memory that a loop works in. */
function memoryOf(params: unknown, inputs: unknown) {
  return (tree.leaves(params)[0] ?? tree.leaves(inputs)[0])?.backend.memory;
}
