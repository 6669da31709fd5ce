import { scope, type Tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { type Initializer, isInitializer } from "@chronograd/nn";
import type { Values } from "../cell.ts";
import { textOf } from "../checkDefinition.ts";
import { differencesOf } from "./differences.ts";
import { layoutOf, type Model } from "./layoutOf.ts";

/** How a state dict is written. */
export interface ToPyTorchOptions {
  /** Before every name: `"rnn."` for the module that is `self.rnn`. `""` unless given. */
  readonly prefix?: string;
  /** True unless given; with `false` for modules with `bias=False`, all biases must be 0. */
  readonly bias?: boolean;
  /**
   * Names as in `nn.LSTMCell` (`weight_ih`), where they are those of `nn.LSTM` (`weight_ih_l0`)
   * unless this is true.
   */
  readonly cellNames?: boolean;
  /**
   * For a tree of gradients: both biases of PyTorch have the gradient of their sum, so it stands
   * twice. False unless given.
   */
  readonly gradients?: boolean;
}

/**
 * The state dict of a PyTorch module with these parameters, for `load_state_dict(strict=True)`: the
 * inverse of `fromPyTorch`, for the same models.
 *
 * The sum of the two biases stands in `bias_ih`, and `bias_hh` is 0, but for the candidate of a
 * GRU, where it is `bn`. What `grad` finds is written with `{ gradients: true }`: every gradient as
 * PyTorch has it in `weight.grad`.
 *
 * @returns new tensors by name; `encodeSafetensors` makes a file of them
 * @throws for parameters that are missing, not the model's, or of another shape: one error names
 *   all of them; for a model with a part that PyTorch has not; for biases that are not 0 under
 *   `bias: false`
 *
 * @example
 * ```ts
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams } from "@chronograd/rnn";
 * import { fromPyTorch, toPyTorch } from "@chronograd/rnn/pytorch";
 *
 * const cell = gru({ input: 3, hidden: 5 });
 * const params = initialParams(cell, rng(1));
 * const stateDict = toPyTorch(params, cell, { prefix: "rnn." });
 * Object.keys(stateDict); // => ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0"]
 * stateDict["rnn.weight_ih_l0"]?.shape; // => [15, 3]
 * fromPyTorch(stateDict, cell, { prefix: "rnn." }).W.toArray(); // => params.W.toArray()
 * ```
 */
export function toPyTorch<Params>(
  params: Values<Params>,
  model: Model<Params>,
  options: ToPyTorchOptions = {},
): Record<string, Tensor> {
  checkOptions("toPyTorch", options, ["prefix", "bias", "cellNames", "gradients"]);
  const { prefix = "", bias = true, cellNames = false, gradients = false } = options;
  for (const [name, value] of Object.entries({ bias, cellNames, gradients })) {
    if (typeof value === "boolean") continue;
    throw new TypeError(`toPyTorch: ${name} must be true or false, got ${textOf(value)}`);
  }
  const layout = layoutOf("toPyTorch", model, prefix, {
    suffix: () => (cellNames ? "" : "_l0"),
    hasBias: () => bias,
  });
  const expected = tree.leavesWithPath<Initializer>(model.params, isInitializer);
  const { text } = differencesOf(
    Object.fromEntries(tree.leavesWithPath(params)),
    Object.fromEntries(expected),
    { lacks: "the parameters lack", hasNoPlace: "the model has no" },
  );
  if (text !== undefined) {
    throw new TypeError(
      `toPyTorch: ${text}; take the parameters of this model, from initialParams or fromPyTorch`,
    );
  }
  return scope(() => layout.write(params as never, gradients));
}
