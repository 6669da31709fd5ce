import { scope } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Values } from "../cell.ts";
import { differencesOf } from "./differences.ts";
import type { Layout, StateDict } from "./layout.ts";
import { layoutOf, type Model, type Style } from "./layoutOf.ts";
import { wayOut } from "./wayOut.ts";

/** Which part of a state dict is meant. */
export interface FromPyTorchOptions {
  /**
   * Only names that begin with this count, and it is left out of them: `"rnn."` for the module that
   * is `self.rnn`. `""` unless given.
   */
  readonly prefix?: string;
}

/**
 * Parameters from the state dict of a PyTorch module, as `state_dict()` names and lays them out.
 *
 * `elman` is read from `nn.RNN` (tanh or relu, which a state dict does not say), `lstm` from
 * `nn.LSTM`, `lstmProjected` from one with `proj_size`, `gru` from `nn.GRU`; `stacked` from one
 * with `num_layers`, `bidirectional` from one with `bidirectional=True`, and a stack of
 * bidirectional cells from one with both. A single cell is also read from `nn.RNNCell`,
 * `nn.LSTMCell` and `nn.GRUCell`; `linear`, `embedding` and `layerNorm` from `nn.Linear`,
 * `nn.Embedding` and `nn.LayerNorm`. A `sequential` is read from a module whose parts have the
 * names of its own, such as `self.embedding`, `self.lstm` and `self.head`.
 *
 * Matrices are transposed. The two biases of PyTorch are added (a GRU's `bn` is the recurrent bias
 * of the candidate); without any, as `bias=False` leaves them, they are zeros. float32 and float64
 * stay what they are. New tensors are made, and the state dict stays as it is.
 *
 * @param stateDict tensors by name: `tensorsOf(decodeSafetensors(bytes))`, for example
 * @throws for entries that are missing, not expected, of another shape, or no floats of one dtype:
 *   one error names all of them; for a model with a part that PyTorch has not
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { lstm } from "@chronograd/rnn";
 * import { fromPyTorch } from "@chronograd/rnn/pytorch";
 *
 * // Of nn.LSTM(2, 1), the attribute `rnn` of a module.
 * const stateDict = {
 *   "rnn.weight_ih_l0": tensor([[1, 2], [3, 4], [5, 6], [7, 8]]),
 *   "rnn.weight_hh_l0": tensor([[1], [2], [3], [4]]),
 *   "rnn.bias_ih_l0": tensor([1, 1, 1, 1]),
 *   "rnn.bias_hh_l0": tensor([0, 1, 0, 0]),
 * };
 * const { W, U, b } = fromPyTorch(stateDict, lstm({ input: 2, hidden: 1 }), { prefix: "rnn." });
 * W.toArray(); // => [[1, 3, 5, 7], [2, 4, 6, 8]]
 * U.toArray(); // => [[1, 2, 3, 4]]
 * b.toArray(); // => [1, 2, 1, 1]
 * ```
 */
export function fromPyTorch<Params>(
  stateDict: StateDict,
  model: Model<Params>,
  options: FromPyTorchOptions = {},
): Values<Params> {
  checkOptions("fromPyTorch", options, ["prefix"]);
  const { prefix = "" } = options;
  if (typeof stateDict !== "object" || stateDict === null) {
    throw new TypeError(
      `fromPyTorch: the state dict must be tensors by name, got ${String(stateDict)}; tensorsOf of @chronograd/nn/safetensors reads them from a file`,
    );
  }
  const compared = compare(stateDict, model, prefix);
  const { layout, differences } = compared;
  if (differences.text !== undefined) {
    throw new TypeError(
      `fromPyTorch: ${differences.text}; ${wayOut(stateDict, compared, prefix, (other) => {
        return compare(stateDict, model, other).differences.text === undefined;
      })}`,
    );
  }
  return scope(() => layout.read(stateDict)) as Values<Params>;
}

/** The layout of a model in the style of a state dict, and how far the two are apart. */
function compare(stateDict: StateDict, model: Model, prefix: string) {
  const layout: Layout = layoutOf("fromPyTorch", model, prefix, styleOf(stateDict));
  const own = Object.entries(stateDict).filter(([name]) => name.startsWith(prefix));
  const given = Object.fromEntries(own);
  const differences = differencesOf(given, layout.entries, {
    lacks: "the state dict lacks",
    hasNoPlace: "the model has no place for",
  });
  return { layout, given, differences };
}

/** What the names of a state dict tell: whether there are biases, and a cell or a layer. */
function styleOf(stateDict: StateDict): Style {
  const names = Object.keys(stateDict);
  const isThere = (prefix: string, pattern: RegExp) =>
    names.some((name) => name.startsWith(prefix) && pattern.test(name.slice(prefix.length)));
  return {
    suffix: (prefix) => (Object.hasOwn(stateDict, `${prefix}weight_ih`) ? "" : "_l0"),
    // Nothing is said by a place without any weights.
    hasBias: (prefix) => isThere(prefix, /^bias_[ih]h/) || !isThere(prefix, /^weight_[ih]h/),
  };
}
