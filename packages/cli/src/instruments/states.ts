import { type Tensor, tree } from "@chronograd/autodiff";
import { unroll } from "@chronograd/rnn";
import type { Subject } from "./instrument.ts";

/** The states after each step of a stretch, as a model is evaluated, without a tape. */
export function* statesAlong({ model, params, steps }: Subject): Generator<unknown> {
  let state: unknown;
  for (const { input, reset, mask } of steps) {
    const marks = {
      ...(reset && { resets: reset.reshape([1, -1]) }),
      ...(mask && { mask: mask.reshape([1, -1]) }),
    };
    const options = { rng: null, ...(state !== undefined && { state: state as never }), ...marks };
    state = unroll(model, params, [input] as never, options).state;
    yield state;
  }
}

/** The floats of a row of a state. */
export const rowOf = (state: unknown, row: number): number[] =>
  tree.leaves(state).flatMap((x: Tensor) => {
    if (x.dtype === "int32") return [];
    return [...x.slice([row]).toTypedArray()];
  });
