import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { checkChoice } from "../checkChoice.ts";
import { textOf } from "../checkDefinition.ts";
import { rememberMaking } from "../making.ts";
import type { Noise } from "../sequences/noise.ts";
import { inputShape } from "./around.ts";
import { checkRate, dropMask } from "./bernoulli.ts";
import { type InTurn, inTurn, type TensorCell, type TensorSequenceModel } from "./inTurn.ts";
import { layerOn } from "./layerOn.ts";

/** What stands between the layers of `stacked`. */
export interface StackedOptions {
  /**
   * Adds its input to the output of every layer but the first (He et al. 2016; Wu et al. 2016): all
   * layers have outputs of one shape then. False unless given.
   */
  readonly residual?: boolean;
  /**
   * The share of elements of each layer's output that the next layer does not see, as `nn.LSTM` has
   * it: not after the last layer. At least 0, below 1; 0 unless given. A residual is not dropped.
   */
  readonly dropout?: number;
  /**
   * How often the masks of `dropout` are drawn: for each `"step"` (the default), or once for each
   * `"window"` (variational dropout, Gal & Ghahramani 2016).
   */
  readonly per?: Noise["per"];
}

/**
 * Cells on top of each other at every time step, as one cell: the output of each is the input of
 * the next. Parameters and states are tuples by layer. With a layer that has no step of its own,
 * such as `bidirectional`, it is a model of whole sequences and runs layer by layer.
 *
 * @throws for no layer, what is no cell, and, with `residual`, an output of another shape than the
 *   input
 *
 * @example
 * ```ts
 * import { zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { bidirectional, gru, initialParams, lstm, stacked, unroll } from "@chronograd/rnn";
 *
 * const model = stacked([lstm({ input: 3, hidden: 5 }), gru({ input: 5, hidden: 5 })], {
 *   residual: true,
 * });
 * const params = initialParams(model, rng(1));
 * [params[0].W.shape, params[1].W.shape]; // => [[3, 20], [5, 15]]
 * const { outputs, state } = unroll(model, params, zeros([7, 2, 3]));
 * [outputs.shape, state[0].c.shape]; // => [[7, 2, 5], [2, 5]]
 *
 * // Two layers, each in both directions.
 * const both = stacked([
 *   bidirectional(lstm({ input: 3, hidden: 5 })),
 *   bidirectional(lstm({ input: 10, hidden: 5 })),
 * ]);
 * unroll(both, initialParams(both, rng(1)), zeros([7, 2, 3])).outputs.shape; // => [7, 2, 10]
 * ```
 */
export function stacked<const Layers extends readonly (TensorCell | TensorSequenceModel)[]>(
  layers: Layers,
  options: StackedOptions = {},
): InTurn<Layers> {
  const where = "stacked";
  checkOptions(where, options, ["residual", "dropout", "per"]);
  const { residual = false, dropout = 0, per = "step" } = options;
  if (!Array.isArray(layers)) {
    throw new TypeError(
      `${where}: expected a list of cells, [lower, upper], got ${textOf(layers)}`,
    );
  }
  if (layers.length === 0) throw new RangeError(`${where}: expected at least one cell, got none`);
  if (typeof residual !== "boolean") {
    throw new TypeError(`${where}: residual must be true or false, got ${textOf(residual)}`);
  }
  checkChoice(where, "per", per, ["step", "window"]);
  checkRate(where, "dropout", dropout);
  const parts = Array.from(layers as readonly Cell<unknown, unknown>[], (layer, i) => {
    const own = `${where}: layer ${i}`;
    checkCell(own, layer, "any");
    if (i === 0 || (!residual && dropout === 0)) return layer;
    const wayOut = "give it one, as in { ...cell, input: [5] } for 5 columns";
    const row = dropout === 0 ? [] : inputShape(own, layer, undefined, wayOut);
    return layerOn(layer, { where: own, residual, mask: dropMask(dropout, row, per) });
  });
  const model = inTurn(parts as unknown as Layers, (i) => `layer ${i}`);
  // Dropout adds nothing to what the layers are; a residual does.
  return rememberMaking(model, residual ? undefined : { by: stacked, parts: layers });
}
