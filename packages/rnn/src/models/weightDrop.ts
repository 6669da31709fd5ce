import { type Tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { runStep } from "../runStep.ts";
import { around, type NoiseAround } from "./around.ts";
import { checkRate, dropMask } from "./bernoulli.ts";
import { leavesNamed } from "./leaves.ts";

/** What `weightDrop` drops. */
export interface WeightDropOptions {
  /** The share of weights that are 0: at least 0, below 1. */
  readonly rate: number;
  /**
   * Parameters, by path (`"0.U"`) or by the end of it; those called `"U"`, the recurrent matrices,
   * unless given.
   */
  readonly names?: readonly string[];
}

type Drawn = NoiseAround<{ readonly params: Readonly<Record<string, Tensor | undefined>> }>;

/**
 * A cell with DropConnect on its recurrent matrices: each weight is 0 with probability `rate`, and
 * divided by `1 - rate` elsewhere, the same at all steps of a window and for all rows (Wan et al.
 * 2013; Merity, Keskar & Socher 2018, Regularizing and optimizing LSTM language models). Every step
 * computes the masked matrix. With `rng: null`, in evaluation, the cell is the plain one.
 *
 * @throws for a rate outside 0 (included) to 1 (excluded), and a name that no parameter has
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, lstm, unroll, weightDrop } from "@chronograd/rnn";
 *
 * const cell = weightDrop(lstm({ input: 3, hidden: 5 }), { rate: 0.5 });
 * const params = initialParams(cell, rng(1));
 * const { outputs } = unroll(cell, params, ones([7, 2, 3]), { rng: rng(1, "noise") });
 * outputs.shape; // => [7, 2, 5]
 * ```
 */
export function weightDrop<Params, State, X = Tensor, Y = Tensor>(
  cell: Cell<Params, State, X, Y>,
  options: WeightDropOptions,
): Cell<Params, State, X, Y> {
  const where = "weightDrop";
  checkCell(where, cell, "step");
  checkOptions(where, options, ["rate", "names"]);
  const { rate, names = ["U"] } = options ?? ({} as typeof options);
  checkRate(where, "rate", rate);
  const params = Object.fromEntries(
    leavesNamed(where, "parameter", cell.params, names).map(([path, { shape }]) => [
      path,
      dropMask(rate, shape, "window", false),
    ]),
  );
  return around(cell, { params }, (given, x, state, drawn) => {
    if (drawn === undefined) return runStep(cell, given, x, state);
    const masks = (drawn as Drawn).params;
    const weights = tree.map(given, (w: Tensor, path) => {
      const mask = masks[path];
      return mask === undefined ? w : w.mul(mask);
    }) as typeof given;
    return runStep(cell, weights, x, state, (drawn as Drawn).cell);
  });
}
