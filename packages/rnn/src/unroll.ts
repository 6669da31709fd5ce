import { type MapTree, type Shape, scope, type Tensor } from "@chronograd/autodiff";
import { isTracing, refuseTracing } from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "./cell.ts";
import { checkCell } from "./checkCell.ts";
import { checkRows } from "./checkRows.ts";
import { unrollLinear } from "./linear/unrollLinear.ts";
import type { LoopMemory } from "./loop/options.ts";
import { unrollLoop } from "./loop/unrollLoop.ts";
import { checkUnroll, prepared } from "./prepareUnroll.ts";
import type { SequenceMarks } from "./sequences/marks.ts";
import { unrollSteps } from "./sequences/unrollSteps.ts";
import type { ShardingOptions } from "./sharding/options.ts";

/** How `unroll` runs. */
export interface UnrollOptions<State> extends SequenceMarks, ShardingOptions {
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
   * shapes. A cell keeps the 24 plans used last, up to three for each shape, so eight shapes of
   * inputs and context are safe. The step must be one that can be planned (see `compile`). False
   * unless given.
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
  /**
   * A tree that all steps share; the input of a step is then `{ x, context }`. Where rows are
   * computed in shards, a tensor of it whose first axis is as long as the batch has its rows there.
   */
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
 *   is not given; a `NotLoopable` where `compile` or `memory` is given and the steps make no loop;
 *   where a compiled step has changed; for less `memory` than is possible, with what is needed.
 *   What a step throws names the step and is the `cause`
 *
 * @example
 * ```ts
 * import { grad, tensor, zeros } from "@chronograd/autodiff";
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
 *
 * // 10,000 steps within a megabyte, as plans.
 * const long = { compile: true, memory: { bytes: 2 ** 20 } } as const;
 * const loss = (p: typeof params) =>
 *   unroll(cell, p, zeros([10_000, 1, 3]), long).state.h.square().sum();
 * grad(loss)(params).U.shape; // => [5, 20]
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
