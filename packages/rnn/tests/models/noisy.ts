import { type Tensor, tree } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import {
  elman,
  gru,
  lstm,
  sequential,
  stacked,
  variationalDropout,
  weightDrop,
  zoneout,
} from "../../src/index.ts";
import { drawNoise, type Noise } from "../../src/sequences/noise.ts";
import type { SomeCell } from "../../src/testing.ts";
import { plain } from "./setup.ts";

const sizes = { input: 2, hidden: 3 };
const upper = { input: 3, hidden: 3 };

/** Cells with noise, from 2 columns to 3. The rates make masks of whole numbers. */
export const noisyCells: Record<string, SomeCell> = {
  variational: plain(variationalDropout(lstm(sizes), { rate: 0.5 })),
  "variational, h and c": plain(
    variationalDropout(lstm(sizes), { rate: 0.5, inputRate: 0, names: ["h", "c"] }),
  ),
  zoneout: plain(zoneout(lstm(sizes), { rate: { h: 0.25, c: 0.5 } })),
  weightDrop: plain(weightDrop(gru(sizes), { rate: 0.5 })),
  "dropout between": plain(stacked([elman(sizes), gru(upper), lstm(upper)], { dropout: 0.5 })),
  "dropout per window": plain(
    stacked([elman(sizes), gru(upper)], { dropout: 0.5, per: "window", residual: true }),
  ),
  nested: plain(
    sequential({
      lower: zoneout(weightDrop(lstm(sizes), { rate: 0.5 }), { rate: 0.5 }),
      upper: stacked(
        [
          weightDrop(variationalDropout(elman(upper), { rate: 0.5 }), { rate: 0.5 }),
          variationalDropout(zoneout(gru(upper), { rate: 0.25 }), { rate: 0.5 }),
        ],
        { dropout: 0.5 },
      ),
    }),
  ),
};

const isNoise = (value: unknown): value is Noise => Object(value).per !== undefined;

/** What a cell draws, by path. */
export function noiseOf({ noise }: object & { noise?: unknown }): Map<string, Noise> {
  return new Map(tree.leavesWithPath<Noise>(noise, isNoise));
}

/** What a noisy cell of a given input takes: the input, and what is drawn for it. */
export interface Given {
  readonly x: Tensor;
  readonly noise: unknown;
}

/**
 * A noisy cell that takes its noise as a part of its input, one row for each row of the batch. What
 * is one for all rows stands in every row.
 */
export function takingNoise(cell: SomeCell) {
  const noise = noiseOf(cell);
  return {
    params: cell.params,
    state: cell.state,
    step: (params: never, { x, noise: rows }: Given, state: never) => {
      const drawn = tree.map(rows, (mask: Tensor, path) => {
        const float = mask.dtype === "int32" ? mask.cast(x.dtype as "float64") : mask;
        return noise.get(path)!.rows ? float : float.slice([0]);
      });
      return cell.step(params, x, state, drawn);
    },
  };
}

/** The noise of one step, for `takingNoise`; what is drawn per window stays as in `before`. */
export function noiseRows(
  cell: SomeCell,
  random: Rng,
  batch: number,
  before?: unknown,
): { readonly drawn: unknown; readonly rows: unknown } {
  const drawn = drawNoise(cell.noise, random, batch, { dtype: "float64" }, before);
  const noise = noiseOf(cell);
  const rows = tree.map(drawn, (mask: Tensor, path) =>
    noise.get(path)!.rows ? mask : mask.broadcastTo([batch, ...mask.shape]).clone(),
  );
  return { drawn, rows };
}
