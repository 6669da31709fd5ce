import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkWhole, shown } from "../checks.ts";
import { zeros } from "../init/constant.ts";
import { glorot } from "../init/glorot.ts";
import type { Initializer } from "../init/initializer.ts";
import { checkParams, checkRows, type Layer } from "./layer.ts";

/** The sizes of a linear layer, and whether it adds a bias. */
export interface LinearOptions {
  /** How many numbers a row of `x` has. */
  readonly input: number;
  /** How many numbers a row of `y` has. */
  readonly output: number;
  /** True unless given. */
  readonly bias?: boolean;
}

/** Parameters of a linear layer: `W [input, output]`, `b [output]`. */
export type LinearParams = { W: Initializer; b: Initializer };
/** Parameters of a linear layer without a bias: `W [input, output]`. */
export type LinearParamsWithoutBias = { W: Initializer };

/**
 * `y = x W + b`, from `x [..., input]` to `y [..., output]`.
 *
 * `W` starts as `glorot` and `b` as zeros; for another start replace an initializer in `params`.
 *
 * @throws for sizes that are not whole numbers of at least 1; `apply` throws when `x` does not end
 *   in `input`, or parameters do not have the layer's shapes
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { linear } from "@chronograd/nn";
 *
 * const layer = linear({ input: 2, output: 1 });
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
  checkOptions("linear", options, ["input", "output", "bias"]);
  const { input, output, bias = true } = options ?? ({} as LinearOptions);
  checkWhole(input, "input", "linear");
  checkWhole(output, "output", "linear");
  if (typeof bias !== "boolean") {
    throw new TypeError(`linear: bias must be true or false, got ${shown(bias)}`);
  }
  const W = glorot(input, output);
  const declared = bias ? { W, b: zeros(output) } : { W };
  return {
    kind: "linear",
    params: declared,
    apply(params, x) {
      const { W, b } = checkParams("linear", params, declared);
      if (!bias && b !== undefined) {
        throw new TypeError(
          "linear: params.b was given to a layer with bias: false; leave out one of the two",
        );
      }
      checkRows("linear", x, input);
      const y = x.matmul(W);
      return b === undefined ? y : y.add(b);
    },
  };
}
