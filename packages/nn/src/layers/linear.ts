import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/extend";
import { zeros } from "../init/constant.ts";
import { glorot } from "../init/glorot.ts";
import type { Initializer } from "../init/initializer.ts";
import { checkCount, type Layer } from "./layer.ts";

/** The size of a linear layer, and whether it adds a bias. */
export interface LinearOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** True unless given. */
  readonly bias?: boolean;
}

/** Parameters of a linear layer: `W [inputs, outputs]`, `b [outputs]`. */
export type LinearParams = { W: Initializer; b: Initializer };
/** Parameters of a linear layer without a bias: `W [inputs, outputs]`. */
export type LinearParamsWithoutBias = { W: Initializer };

/**
 * `y = x W + b`, from `x [..., inputs]` to `y [..., outputs]`.
 *
 * `W` starts as `glorot` and `b` as zeros; for another start replace an initializer in `params`.
 *
 * @throws for sizes that are not whole numbers of at least 1; `apply` throws when `x` does not end in `inputs`
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { linear } from "@chronograd/nn";
 *
 * const layer = linear({ inputs: 2, outputs: 1 });
 * const params = { W: tensor([[1], [2]]), b: tensor([10]) };
 * layer.apply(params, tensor([[3, 4]])).toArray(); // => [[21]]
 * ```
 */
export function linear(
  options: LinearOptions & { readonly bias: false },
): Layer<LinearParamsWithoutBias, [x: Tensor]>;
export function linear(
  options: LinearOptions & { readonly bias?: true },
): Layer<LinearParams, [x: Tensor]>;
export function linear(
  options: LinearOptions,
): Layer<{ W: Initializer; b?: Initializer }, [x: Tensor]> {
  checkOptions("linear", options, ["inputs", "outputs", "bias"]);
  const { inputs, outputs, bias = true } = options ?? ({} as LinearOptions);
  checkCount(inputs, "inputs", "linear");
  checkCount(outputs, "outputs", "linear");
  const W = glorot(inputs, outputs);
  return {
    params: bias ? { W, b: zeros(outputs) } : { W },
    apply({ W, b }, x) {
      if (x.shape.at(-1) !== inputs) {
        throw new RangeError(
          `linear: x must have ${inputs} elements along its last axis, got shape [${x.shape.join(",")}]`,
        );
      }
      const y = x.matmul(W);
      return b === undefined ? y : y.add(b);
    },
  };
}
