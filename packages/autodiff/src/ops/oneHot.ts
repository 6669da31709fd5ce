import { checkDType, isFloat } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Op, op } from "./declare.ts";
import { asIndices, checkRange } from "./indices.ts";
import { labelled, oneHotDeclaration } from "./labels.ts";

/**
 * A row of `depth` elements per index: 1 at the index, 0 elsewhere.
 *
 * @throws when an index is not one of 0 to `depth - 1`, the indices are not int32, or `depth` is
 *   not a whole number of at least 1
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
