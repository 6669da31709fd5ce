import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { none, type OpDeclaration } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";

const noGradient = none("indices are integers: nothing flows through");

/** A row of zeros for an index out of range. @internal */
export const oneHotDeclaration: OpDeclaration<{ depth: number; dtype: "float32" | "float64" }> = {
  name: "oneHot",
  inputs: ["indices"],
  accepts: "any",
  shape: ([indices], { depth }) => [...indices!.shape, depth],
  dtype: (_inputs, { dtype }) => dtype,
  forward(backend, [indices], y, { depth }) {
    kernelsOf(backend, y).oneHot(indices!.size, depth, indices!.pointer, y.pointer);
  },
  residuals: { inputs: [], output: false },
  vjp: noGradient,
  jvp: noGradient,
  samples: [
    {
      label: "[4] of 3",
      inputs: [{ shape: [4], integers: [0, 3] }],
      call: ([i]) => i!.oneHot(3),
    },
  ],
};

/** `oneHot`, with a row of zeros for an index out of range. @internal */
export function labelled(indices: Tensor, depth: number, dtype: "float32" | "float64"): Tensor {
  return apply(oneHotDeclaration, [indices], { depth, dtype });
}
