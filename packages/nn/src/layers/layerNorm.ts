import { layerNorm as normalize, type Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/extend";
import { ones, zeros } from "../init/constant.ts";
import type { Initializer } from "../init/initializer.ts";
import { checkCount, type Layer } from "./layer.ts";

/** Parameters of a layer normalisation: `gain [size]`, `bias [size]`. */
export type LayerNormParams = { gain: Initializer; bias: Initializer };

/**
 * `y = (x - mean) / sqrt(variance + epsilon) * gain + bias`, with the mean and the (biased) variance along the last
 * axis of `x [..., size]` (Ba, Kiros & Hinton 2016, Layer normalization). `epsilon` is 1e-5 unless given.
 *
 * @throws for a size that is not a whole number of at least 1, or an epsilon that is not positive; `apply` throws
 *   when `x` does not end in `size`
 *
 * @example
 * ```ts
 * import { ones, tensor, zeros } from "@chronograd/autodiff";
 * import { layerNorm } from "@chronograd/nn";
 *
 * const norm = layerNorm({ size: 2 });
 * const y = norm.apply({ gain: ones([2]), bias: zeros([2]) }, tensor([[1, 3]]));
 * y.round().toArray(); // => [[-1, 1]]
 * ```
 */
export function layerNorm(options: {
  readonly size: number;
  readonly epsilon?: number;
}): Layer<LayerNormParams, [x: Tensor]> {
  checkOptions("layerNorm", options, ["size", "epsilon"]);
  const { size, epsilon = 1e-5 } = options ?? ({} as typeof options);
  checkCount(size, "size", "layerNorm");
  if (!(epsilon > 0 && Number.isFinite(epsilon))) {
    throw new RangeError(`layerNorm: epsilon must be a positive number, got ${String(epsilon)}`);
  }
  return {
    params: { gain: ones(size), bias: zeros(size) },
    apply({ gain, bias }, x) {
      if (x.shape.at(-1) !== size) {
        throw new RangeError(
          `layerNorm: x must have ${size} elements along its last axis, got shape [${x.shape.join(",")}]`,
        );
      }
      return normalize(x, gain, bias, epsilon);
    },
  };
}
