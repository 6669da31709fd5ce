import { where as select, type Tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { runStep } from "../runStep.ts";
import { around, type NoiseAround } from "./around.ts";
import { bernoulli, checkRate } from "./bernoulli.ts";
import { floatLeaves, leavesNamed } from "./leaves.ts";

/** How often `zoneout` keeps a state. */
export interface ZoneoutOptions {
  /**
   * The share of elements that keep their old state, 0 to 1: one for all leaves, or by path or the
   * end of it, as in `{ h: 0.05, c: 0.5 }`; others are 0 then. Whole numbers are never kept.
   */
  readonly rate: number | Readonly<Record<string, number>>;
}

type Drawn = NoiseAround<{ readonly state: Readonly<Record<string, Tensor>> }>;

/**
 * A cell of which elements of the state keep their old value, at random at every step: `h_t` is
 * `h_{t-1}` with probability `rate`, else what the cell computed (Krueger et al. 2017, Zoneout:
 * regularizing RNNs by randomly preserving hidden activations). With `rng: null`, in evaluation, it
 * is the expected value, `rate h_{t-1} + (1 - rate) h_t`. An output that is a leaf of the state, as
 * `h` of all built-in cells, is the zoned one.
 *
 * Wrap each cell of a stack by itself, and `zoneout` around other noise: it keeps the state that it
 * is given, which `variationalDropout` around it would have masked.
 *
 * @throws for a rate outside 0 to 1, and a name that no leaf has
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, lstm, unroll, zoneout } from "@chronograd/rnn";
 *
 * const cell = zoneout(lstm({ input: 3, hidden: 5 }), { rate: { h: 0.05, c: 0.5 } });
 * const params = initialParams(cell, rng(1));
 * const { outputs } = unroll(cell, params, ones([7, 2, 3]), { rng: rng(1, "noise") });
 * outputs.shape; // => [7, 2, 5]
 * ```
 */
export function zoneout<Params, State, X = Tensor, Y = Tensor>(
  cell: Cell<Params, State, X, Y>,
  options: ZoneoutOptions,
): Cell<Params, State, X, Y> {
  const where = "zoneout";
  checkCell(where, cell, "step");
  checkOptions(where, options, ["rate"]);
  const { rate } = options ?? ({} as typeof options);
  /** The rate and the shape of each leaf that may keep its value. */
  const rates = new Map<string, readonly [rate: number, shape: readonly number[]]>();
  if (typeof rate === "object" && rate !== null) {
    for (const [name, own] of Object.entries(rate)) {
      checkRate(where, `the rate of ${name}`, own, 1);
      for (const [path, { shape }] of leavesNamed(where, "state", cell.state, [name])) {
        rates.set(path, [own, shape]);
      }
    }
  } else {
    checkRate(where, "rate", rate, 1);
    for (const [path, { shape }] of floatLeaves(cell.state)) rates.set(path, [rate, shape]);
  }
  for (const [path, [own]] of rates) if (own === 0) rates.delete(path);
  const state = Object.fromEntries(
    [...rates].map(([path, [own, shape]]) => [
      path,
      bernoulli(own, [1, 0], { shape, per: "step", rows: true }),
    ]),
  );
  return around(cell, { state }, (params, x, before, drawn) => {
    const noise = drawn as Drawn | undefined;
    const [output, next] = runStep(cell, params, x, before, noise?.cell);
    const zoned = new Map<Tensor, Tensor>();
    const after = tree.zip(before, next, (old, fresh, path) => {
      const own = rates.get(path);
      if (own === undefined) return fresh;
      const mask = noise?.state[path];
      const kept =
        mask === undefined ? old.mul(own[0]).add(fresh.mul(1 - own[0])) : select(mask, old, fresh);
      zoned.set(fresh, kept);
      return kept;
    });
    return [
      tree.map(output, (y: Tensor) => zoned.get(y) ?? y) as typeof output,
      after as typeof next,
    ];
  });
}
