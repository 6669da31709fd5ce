import { type Tensor, tree } from "@chronograd/autodiff";

/** The floats of a row of a state. */
export const rowOf = (state: unknown, row: number): number[] =>
  tree.leaves(state).flatMap((x: Tensor) => {
    if (x.dtype === "int32") return [];
    return [...x.slice([row]).toTypedArray()];
  });
