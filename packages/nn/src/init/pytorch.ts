import { normal, uniform } from "./distributions.ts";
import { checkLengths, type Initializer } from "./initializer.ts";

/**
 * The weight `[input, output]` of `nn.Linear`: uniform within `1 / sqrt(input)`
 * (`Linear.reset_parameters`, whose `kaiming_uniform_` with `a = sqrt(5)` comes to this).
 *
 * @throws for a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init, initialize, linear, rng } from "@chronograd/nn";
 *
 * const layer = {
 *   ...linear({ input: 4, output: 2 }),
 *   params: { W: init.pytorch.linear(4, 2), b: init.pytorch.linearBias(4, 2) },
 * };
 * const { W, b } = initialize(layer.params, rng(1));
 * [...W.toTypedArray(), ...b.toTypedArray()].every((x) => Math.abs(x) <= 1 / 2); // => true
 * ```
 */
export function linear(input: number, output: number): Initializer {
  return within(input, [input, output], "linear");
}

/**
 * The bias `[output]` of `nn.Linear`: uniform within `1 / sqrt(input)`
 * (`Linear.reset_parameters`).
 *
 * @throws for a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init } from "@chronograd/nn";
 *
 * init.pytorch.linearBias(4, 2).shape; // => [2]
 * ```
 */
export function linearBias(input: number, output: number): Initializer {
  return within(input, [output], "linearBias");
}

/**
 * The table `[input, output]` of `nn.Embedding`: standard normal (`Embedding.reset_parameters`).
 *
 * @throws for a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init } from "@chronograd/nn";
 *
 * init.pytorch.embedding(65, 16).shape; // => [65, 16]
 * ```
 */
export function embedding(input: number, output: number): Initializer {
  checkLengths([input, output], "pytorch.embedding", 1);
  return normal(1, input, output);
}

/**
 * Any one weight or bias of `nn.RNN`, `nn.LSTM` or `nn.GRU`: uniform within `1 / sqrt(hidden)`
 * (`RNNBase.reset_parameters`). PyTorch adds two biases: draw both and add them, as
 * `initialPyTorch` of `@chronograd/rnn/pytorch` does for a whole cell.
 *
 * @param hidden how many hidden units the cell has
 * @param shape of the weight or the bias
 * @throws for a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init } from "@chronograd/nn";
 *
 * const [input, hidden] = [3, 5];
 * init.pytorch.recurrent(hidden, input, 4 * hidden).shape; // => [3, 20]
 * ```
 */
export function recurrent(hidden: number, ...shape: readonly number[]): Initializer {
  return within(hidden, shape, "recurrent");
}

function within(units: number, shape: readonly number[], name: string): Initializer {
  checkLengths([units], `pytorch.${name}`, 1);
  checkLengths(shape, `pytorch.${name}`, 1);
  return uniform(1 / Math.sqrt(units), ...shape);
}
