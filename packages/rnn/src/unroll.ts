import { type MapTree, scope, stack, Tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { type Cell, initialState, runStep, type Values } from "./cell.ts";
import { rowsOf } from "./checkRows.ts";
import type { SequenceModel } from "./models/sequenceModel.ts";
import { atStep } from "./stepErrors.ts";

/** How `unroll` runs. */
export interface UnrollOptions<State> {
  /** The state before the first step; the cell's initial state unless given. */
  readonly state?: Values<State>;
  /** Runs from the last step to the first; outputs keep their places in time. */
  readonly reverse?: boolean;
}

/** What `unroll` returns: outputs stacked in time, and the state after the last step. */
export interface Unrolled<State, Y> {
  readonly outputs: MapTree<Y, Tensor>;
  readonly state: Values<State>;
}

/**
 * Runs a cell over a sequence.
 *
 * @param params the cell's parameters, watched by a tape or not
 * @param inputs time-major: `[T, B, ...]`, or a list of T inputs
 * @returns outputs `[T, B, ...]` (each leaf of the output's tree stacked) and the last state
 * @throws when there is no step, or the rows of an input are not those of the state; what a step
 *   throws names the step and is the `cause`
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
 * ```
 */
export function unroll<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y> | SequenceModel<Params, State, X, Y>,
  params: Values<Params>,
  inputs: Tensor | readonly X[],
  options: UnrollOptions<State> = {},
): Unrolled<State, Y> {
  checkOptions("unroll", options, ["state", "reverse"]);
  if (!("step" in cell)) return cell.unroll(params, inputs, options);
  return scope(() => {
    const steps = stepsOf<X>(inputs);
    const first = steps[0];
    if (first === undefined)
      throw new RangeError("unroll: expected at least one time step, got none");
    let state = options.state ?? initialState(cell, batchOf(first, "unroll"), likeParams(params));
    const outputs = new Array<Y>(steps.length);
    for (let i = 0; i < steps.length; i++) {
      const t = options.reverse === true ? steps.length - 1 - i : i;
      // What a step computes off the tape goes with it; a tape holds its own.
      const before = state;
      const [output, next] = scope(() =>
        atStep("unroll: step", t + 1, () => runStep(cell, params, steps[t]!, before)),
      );
      outputs[t] = output;
      state = next;
    }
    return { outputs: stackInTime(outputs), state };
  });
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

/** Rows of a batch, from one step's input. */
export function batchOf(input: unknown, where: string): number {
  const rows = rowsOf(input);
  if (rows === undefined) {
    throw new TypeError(
      `${where}: cannot tell the batch size from an input without tensors or axes; pass { state: initialState(cell, batch) }`,
    );
  }
  return rows;
}

/** The dtype and backend of a tree's first float tensor. */
export function likeParams(params: unknown): {
  dtype?: "float32" | "float64";
  backend?: Tensor["backend"];
} {
  let like: ReturnType<typeof likeParams> = {};
  tree.map(params, (x: Tensor) => {
    if (like.dtype === undefined && x.dtype !== "int32")
      like = { dtype: x.dtype, backend: x.backend };
  });
  return like;
}

function stackInTime<Y>(outputs: readonly Y[]): MapTree<Y, Tensor> {
  const columns = outputs.map((output) => {
    const leaves: Tensor[] = [];
    tree.map(output, (x: Tensor) => leaves.push(x));
    return leaves;
  });
  let leaf = 0;
  return tree.map(outputs[0]!, () => {
    const at = leaf++;
    return stack(columns.map((column) => column[at]!));
  }) as MapTree<Y, Tensor>;
}
