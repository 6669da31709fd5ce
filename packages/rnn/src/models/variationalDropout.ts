import { type Shape, type Tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { runStep } from "../runStep.ts";
import { around, inputShape, masked, type NoiseAround } from "./around.ts";
import { checkRate, dropMask } from "./bernoulli.ts";
import { floatLeaves, leavesNamed } from "./leaves.ts";

/** What `variationalDropout` drops. */
export interface VariationalDropoutOptions {
  /** The share of elements of the state that a step does not see: at least 0, below 1. */
  readonly rate: number;
  /** The share of elements of the input; `rate` unless given. */
  readonly inputRate?: number;
  /**
   * Leaves of the state, by path (`"0.h"`) or by the end of it; unless given, those called `"h"`,
   * or all where none is. Whole numbers are never dropped.
   */
  readonly names?: readonly string[];
  /** Columns of the input, or the shape of a row, for a cell that does not say it. */
  readonly input?: number | Shape;
}

type Drawn = NoiseAround<{
  readonly input?: Tensor;
  readonly state: Readonly<Record<string, Tensor | undefined>>;
}>;

/**
 * A cell whose step sees its input and its state through masks that stay the same at all steps of a
 * window (Gal & Ghahramani 2016, A theoretically grounded application of dropout in recurrent
 * neural networks). An element is 0 with probability `rate`, and divided by `1 - rate` elsewhere.
 * Each row has masks of its own. What the cell hands on as its state is not masked.
 *
 * The masks are drawn from the generator `rng` of `unroll` or `truncated`; with `rng: null`, in
 * evaluation, the cell is the plain one.
 *
 * A state that also goes on directly, as `h` in a GRU (`z h` is a part of the next state), is
 * scaled at every step there, and can grow. Prefer `zoneout` or `weightDrop` for such cells.
 *
 * @throws for a rate outside 0 (included) to 1 (excluded), a name that no leaf has, and a cell that
 *   does not say the shape of its input where `input` is not given
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, lstm, unroll, variationalDropout } from "@chronograd/rnn";
 *
 * const plain = lstm({ input: 3, hidden: 5 });
 * const cell = variationalDropout(plain, { rate: 0.3 });
 * const params = initialParams(cell, rng(1));
 * const { outputs } = unroll(cell, params, ones([7, 2, 3]), { rng: rng(1, "noise") });
 * outputs.shape; // => [7, 2, 5]
 *
 * // In evaluation there is no noise.
 * const evaluated = unroll(cell, params, ones([7, 2, 3]), { rng: null });
 * evaluated.state.h.toArray(); // => unroll(plain, params, ones([7, 2, 3])).state.h.toArray()
 * ```
 */
export function variationalDropout<Params, State, X = Tensor, Y = Tensor>(
  cell: Cell<Params, State, X, Y>,
  options: VariationalDropoutOptions,
): Cell<Params, State, X, Y> {
  const where = "variationalDropout";
  checkCell(where, cell, "step");
  checkOptions(where, options, ["rate", "inputRate", "names", "input"]);
  const { rate, inputRate = rate, names, input } = options ?? ({} as typeof options);
  checkRate(where, "rate", rate);
  checkRate(where, "inputRate", inputRate);
  const leaves = floatLeaves(cell.state);
  const called = leaves.filter(([path]) => path === "h" || path.endsWith(".h"));
  const chosen =
    names === undefined
      ? called.length > 0
        ? called
        : leaves
      : leavesNamed(where, "state", cell.state, names);
  const wayOut =
    "say it, as in { input: 3 } for 3 columns, or leave inputs alone with { inputRate: 0 }";
  const row = inputRate === 0 ? [] : inputShape(where, cell, input, wayOut);
  const noise = {
    input: dropMask(inputRate, row, "window"),
    state: Object.fromEntries(
      chosen.map(([path, { shape }]) => [path, dropMask(rate, shape, "window")]),
    ),
  };
  return around(cell, noise, (params, x, state, drawn) => {
    if (drawn === undefined) return runStep(cell, params, x, state);
    const own = drawn as Drawn;
    const seen = tree.map(state, (h: Tensor, path) => {
      const mask = own.state[path];
      return mask === undefined ? h : h.mul(mask);
    }) as typeof state;
    return runStep(cell, params, own.input ? masked(where, x, own.input) : x, seen, own.cell);
  });
}
