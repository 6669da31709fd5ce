import { type FloatDType, scope } from "@chronograd/autodiff";
import type { Cell, Values } from "../../cell.ts";
import { changeOfType } from "../../checkState.ts";
import type { Model } from "../../derivatives/model.ts";
import { Transition } from "../../derivatives/transition.ts";
import { floatsOf, paramsSize, rowSize, rowsVector } from "../../derivatives/vectors.ts";
import { advance } from "../../sequences/advance.ts";
import { atStep } from "../../stepErrors.ts";
import type { PreparedStep } from "../../truncated/step.ts";

/**
 * A model at the first step of a stream.
 *
 * @param t the time of that step
 * @param most how many bytes a step may take
 * @throws where there are no derivatives by the state: it has no floats, or changes its shape
 */
export function modelOf<Params, State, X, Y, Target>(
  where: string,
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  step: PreparedStep<X, Target>,
  state: Values<State>,
  t: number,
  most: number,
): Model {
  if (floatsOf(params).length === 0) {
    throw new TypeError(`${where}: the model has no parameters of floats, so there is no gradient`);
  }
  if (floatsOf(state).length === 0) {
    throw new TypeError(
      `${where}: the state of the model has no tensor of floats, so no gradient flows through time; use truncated with k1 and k2 of 1`,
    );
  }
  scope(() => {
    const run = () => advance(cell, params, step.input, step, state).next;
    checkShapes(where, t, state, atStep(`${where}: step`, t, run));
  });
  const [rows, size, parameters] = [
    rowsVector(state).shape[0]!,
    rowSize(state),
    paramsSize(params),
  ];
  const like = placeOf(params);
  return {
    where,
    params,
    state,
    step,
    initial: cell.initial !== undefined,
    rows,
    size,
    parameters,
    like,
    numberBytes: like.dtype === "float64" ? 8 : 4,
    allow(bytes, what) {
      if (bytes <= most) return;
      throw new RangeError(
        `${where}: a step needs about ${bytes} bytes for ${rows} rows, ${size} components of the state and ${parameters} parameters (${what}), and memory.bytes is ${most}; allow more, or take fewer rows${where === "uoro" ? "" : ", or an estimator that keeps less, such as uoro"}`,
      );
    },
    transition: (...given) => {
      const [weights, other, before] = given as unknown as [
        Values<Params>,
        PreparedStep<X, Target>,
        Values<State>,
      ];
      return new Transition(cell, weights, other, before);
    },
  };
}

/** Where what goes with the parameters lives. */
export function placeOf(params: unknown): Model["like"] {
  const { dtype, backend } = floatsOf(params)[0]!;
  return { dtype: dtype as FloatDType, backend };
}

/** Throws a sentence for a step that changes the shape of the state. */
export function checkShapes(where: string, t: number, before: unknown, after: unknown): void {
  const change = changeOfType(before, after);
  if (change === undefined) return;
  throw new TypeError(
    `${where}: step ${t} changes the state "${change.path}" from ${change.was} to ${change.is}; a gradient carried forwards needs a state of one shape at all steps`,
  );
}
