import { checkDType, isFloat } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { none, type Op, type OpDeclaration, op } from "./declare.ts";
import { asIndices, checkRange } from "./indices.ts";
import { kernelsOf } from "./kernels.ts";

const noGradient = none("indices are integers: nothing flows through");

const oneHotDeclaration: OpDeclaration<{ depth: number; dtype: "float32" | "float64" }> = {
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
      call: ([i]) => oneHot(i!, 3),
    },
  ],
};

/** `oneHot`, with a row of zeros for an index out of range. @internal */
export function labelled(indices: Tensor, depth: number, dtype: "float32" | "float64"): Tensor {
  return apply(oneHotDeclaration, [indices], { depth, dtype });
}

/**
 * A row of `depth` elements per index: 1 at the index, 0 elsewhere.
 *
 * @throws when an index is not one of 0 to `depth - 1`, the indices are not int32, or `depth` is not a whole number of at
 *   least 1
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor(Int32Array.of(2, 0)).oneHot(3).toArray(); // => [[0, 0, 1], [1, 0, 0]]
 * ```
 */
export const oneHot: Op<
  (indices: Tensor, depth: number, options?: { dtype?: "float32" | "float64" }) => Tensor
> = op(
  oneHotDeclaration,
  (indices: Tensor, depth: number, options?: { dtype?: "float32" | "float64" }) => {
    checkOptions("oneHot", options, ["dtype"]);
    const { dtype = "float32" } = options ?? {};
    checkDType(dtype, "oneHot");
    if (!isFloat(dtype)) {
      throw new TypeError('oneHot: dtype must be "float32" or "float64", got "int32"');
    }
    if (!Number.isInteger(depth) || depth < 1) {
      throw new RangeError(`oneHot: depth must be a whole number of at least 1, got ${depth}`);
    }
    checkRange(asIndices(indices, indices, "oneHot"), depth, "oneHot");
    return labelled(indices, depth, dtype);
  },
  1,
);
