import { format } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Op, op } from "./declare.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./shape.ts";

/**
 * The inner product of two vectors.
 *
 * @throws unless both have one axis and the same length
 */
export const dot: Op<(a: Tensor, b: Tensor) => Tensor> = op(
  {
    name: "dot",
    composite: true,
    samples: [
      { label: "[3]", inputs: [{ shape: [3] }, { shape: [3] }], call: ([a, b]) => dot(a!, b!) },
    ],
  },
  (a: Tensor, b: Tensor) => {
    if (a.rank !== 1 || b.rank !== 1 || a.size !== b.size) {
      throw new RangeError(
        `dot: expected two vectors of one length, got ${format(a.shape)} and ${format(b.shape)}; use matmul for matrices`,
      );
    }
    return matmul(a, b);
  },
  2,
);

/**
 * All products of the elements of two vectors: `y[i,j] = a[i] b[j]`. Throws unless both have one
 * axis.
 *
 * @example
 * ```ts
 * import { outer, tensor } from "@chronograd/autodiff";
 *
 * outer(tensor([1, 2]), tensor([1, 10])).toArray(); // => [[1, 10], [2, 20]]
 * ```
 */
export const outer: Op<(a: Tensor, b: Tensor) => Tensor> = op(
  {
    name: "outer",
    composite: true,
    samples: [
      {
        label: "[2], [3]",
        inputs: [{ shape: [2] }, { shape: [3] }],
        call: ([a, b]) => outer(a!, b!),
      },
    ],
  },
  (a: Tensor, b: Tensor) => {
    if (a.rank !== 1 || b.rank !== 1) {
      throw new RangeError(
        `outer: expected two vectors, got ${format(a.shape)} and ${format(b.shape)}`,
      );
    }
    return matmul(reshape(a, [a.size, 1]), reshape(b, [1, b.size]));
  },
  2,
);
