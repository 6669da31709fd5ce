import { layerNormalize, type Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkPositive, checkWhole } from "../checks.ts";
import { ones, zeros } from "../init/constant.ts";
import type { Initializer } from "../init/initializer.ts";
import { checkParams, checkRows, type Layer } from "./layer.ts";

/** Parameters of a layer normalisation: `gain [input]`, `bias [input]`. */
export type LayerNormParams = { gain: Initializer; bias: Initializer };

/**
 * `y = (x - mean) / sqrt(variance + epsilon) * gain + bias`, with the mean and the (biased)
 * variance along the last axis of `x [..., input]` (Ba, Kiros & Hinton 2016, Layer normalization).
 * `epsilon` is 1e-5 unless given.
 *
 * @throws for an `input` that is not a whole number of at least 1, or an epsilon that is not
 *   positive; `apply` throws when `x` does not end in `input`, parameters do not have the
 *   layer's shapes, or epsilon rounds to 0 in the dtype of `x`
 *
 * @example
 * ```ts
 * import { ones, tensor, zeros } from "@chronograd/autodiff";
 * import { layerNorm } from "@chronograd/nn";
 *
 * const norm = layerNorm({ input: 2 });
 * const y = norm.apply({ gain: ones([2]), bias: zeros([2]) }, tensor([[1, 3]]));
 * y.round().toArray(); // => [[-1, 1]]
 * ```
 */
export function layerNorm(options: {
  /** How many numbers a row of `x` has. */
  readonly input: number;
  readonly epsilon?: number;
}): Layer<LayerNormParams, [x: Tensor]> {
  checkOptions("layerNorm", options, ["input", "epsilon"]);
  const { input, epsilon = 1e-5 } = options ?? ({} as typeof options);
  checkWhole(input, "input", "layerNorm");
  checkPositive(epsilon, "epsilon", "layerNorm");
  const declared = { gain: ones(input), bias: zeros(input) };
  return {
    kind: "layerNorm",
    params: declared,
    apply(params, x) {
      const { gain, bias } = checkParams("layerNorm", params, declared);
      checkRows("layerNorm", x, input);
      if (x.dtype === "float32" && Math.fround(epsilon) === 0) {
        throw new RangeError(
          `layerNorm: epsilon ${epsilon} is 0 in float32, the dtype of x; take at least 1e-45, or float64`,
        );
      }
      return layerNormalize(x, gain, bias, epsilon);
    },
  };
}
