import {
  detach,
  type MapTree,
  type Shape,
  scope,
  stack,
  Tensor,
  tree,
  zeros,
} from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "./cell.ts";
import { batchOf, checkRows } from "./checkRows.ts";
import { checkState } from "./checkState.ts";
import { likeParams } from "./initial.ts";
import { unrollLinear } from "./linear/unrollLinear.ts";
import { runStep } from "./runStep.ts";
import { advance } from "./sequences/advance.ts";
import { joinTrees } from "./sequences/joinTrees.ts";
import { checkedMarks, marksAt, type SequenceMarks } from "./sequences/marks.ts";
import { Preparation, type Prepared } from "./sequences/prepare.ts";
import { checkRowAxis, fillRows, zeroRows } from "./sequences/rows.ts";
import { startOf } from "./startOf.ts";
import { atStep } from "./stepErrors.ts";

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
   * part by part, and those that are linear at once.
   */
  readonly parallel?: boolean;
  /**
   * Steps at the beginning that warm up the state: no gradient flows through them, and they have no
   * outputs, so that those of T - burnIn steps remain. 0 unless given.
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

const known = "state reverse parallel burnIn context rng lengths mask resets".split(" ");

/**
 * Runs a cell over a sequence.
 *
 * @param params the cell's parameters, watched by a tape or not
 * @param inputs time-major: `[T, B, ...]`, or a list of T inputs
 * @returns outputs `[T, B, ...]` (each leaf of the output's tree stacked; 0 where a row has no
 *   step) and the state after the last step of each row, both tracked by the tape that watches the
 *   parameters: nothing is cut
 * @throws when there is no step, or the rows of an input are not those of the state; for lengths,
 *   masks and resets that do not fit, and where the model draws noise and `rng` is not given; what
 *   a step throws names the step and is the `cause`
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
  inputs: Tensor | readonly StepInput<X>[],
  options: UnrollOptions<State> = {},
): Unrolled<State, Y> {
  checkOptions("unroll", options, known);
  const { state } = options;
  if (state !== undefined) checkState("unroll: the state", state, model.state);
  return scope(() => {
    if (!("step" in model)) return model.unroll(params, inputs, options);
    return options.parallel === true && model.unroll !== undefined
      ? model.unroll(params, inputs, options)
      : unrollCell(model, params, inputs as Tensor | readonly X[], options);
  });
}

function unrollCell<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  inputs: Tensor | readonly X[],
  options: UnrollOptions<State>,
): Unrolled<State, Y> {
  const { reverse = false, burnIn = 0, context, rng } = options;
  const isWhole = options.parallel === true && inputs instanceof Tensor && inputs.rank > 0;
  const whole = isWhole ? inputs : undefined;
  const steps = whole === undefined ? stepsOf<X>(inputs) : [];
  const count = whole?.shape[0] ?? steps.length;
  const first = whole !== undefined && count > 0 ? (whole.slice([0]) as X) : steps[0];
  if (first === undefined)
    throw new RangeError("unroll: expected at least one time step, got none");
  checkBurnIn(burnIn, count, reverse);
  const like = likeParams([params, options.state ?? {}]);
  const batch = () => batchOf(first, "unroll");
  const { backend } = tree.leaves(first)[0] ?? {};
  const warm = burnIn === 0 ? params : detached(params);
  const start = (weights: Values<Params>) => startOf(cell, weights, first, "unroll");
  const marks = checkedMarks("unroll", options, count, batch, backend, reverse);
  if (options.parallel === true) {
    checkRows("unroll", first, options.state);
    return unrollLinear(cell, {
      inputs: whole === undefined ? stackInTime(steps, first) : whole,
      ...{ params, warm, start, burnIn, reverse, context, state: options.state },
      ...marks,
    }) as Unrolled<State, Y>;
  }
  const preparation = new Preparation("unroll", cell, like, {
    rng,
    isFresh: false,
    isUniform: false,
    keep: (make) => make(),
  });
  let state = options.state ?? start(warm);
  const inputOf = (t: number) =>
    (context === undefined ? steps[t - 1] : { x: steps[t - 1], context }) as X;
  const outputs = new Array<Y | undefined>(count);
  for (let i = 0; i < count; i++) {
    const t = reverse ? count - i : i + 1;
    if (i <= burnIn && burnIn > 0) state = detached(state);
    const input = inputOf(t);
    const prepared = preparation.next(marksAt(marks, t), input, t);
    // What a step computes off the tape goes with it; a tape holds its own.
    const before = state;
    const { output, next } = scope(() =>
      atStep("unroll: step", t, () => {
        const weights = i < burnIn ? warm : params;
        const done = advance(cell, weights, fillRows(input, prepared), prepared, before);
        return { ...done, output: present(done.output, prepared) };
      }),
    );
    outputs[t - 1] = output;
    state = next;
  }
  const some =
    outputs.find((output) => output !== undefined) ?? outputOfNone(cell, params, inputOf(1), state);
  return { outputs: stackInTime(outputs.slice(burnIn), some), state };
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

/** The output of the rows that have a step, 0 for the others. */
function present<Y>(output: Y | undefined, { mask, rows }: Prepared): Y | undefined {
  if (output === undefined || mask === undefined) return output;
  return tree.map(output, (x: Tensor) => {
    checkRowAxis("the output", mask, x, "return one row for each of the input");
    return rows === undefined ? x : zeroRows(mask, x);
  }) as Y;
}

function detached<T>(values: T): T {
  return tree.map(values, (x: Tensor) => detach(x)) as T;
}

function zerosLike<T>(values: T): T {
  return tree.map(values, ({ shape, dtype, backend }: Tensor) =>
    zeros(shape, { dtype, backend }),
  ) as T;
}

/** What an output looks like where no row has any step. */
function outputOfNone<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  input: X,
  state: Values<State>,
): Y {
  const [output] = runStep(cell, detached(params), zerosLike(input), detached(state));
  return output;
}

/** The steps of a time-major tensor, without copying, or of a list. */
export function stepsOf<X>(inputs: Tensor | readonly X[]): readonly X[] {
  if (Array.isArray(inputs)) return inputs;
  if (!(inputs instanceof Tensor)) {
    throw new TypeError(
      `unroll: inputs must be a time-major tensor or an array of steps, got ${String(inputs)}`,
    );
  }
  if (inputs.rank === 0)
    throw new RangeError("unroll: inputs must be time-major [T, B, ...], got a scalar");
  return Array.from({ length: inputs.shape[0]! }, (_, t) => inputs.slice([t]) as X);
}

function stackInTime<Y>(outputs: readonly (Y | undefined)[], like: Y): MapTree<Y, Tensor> {
  const all = outputs.map((output) => output ?? zerosLike(like));
  return joinTrees(all, (parts) => stack(parts)) as MapTree<Y, Tensor>;
}
