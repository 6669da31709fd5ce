import type { LagMatrix } from "@chronograd/rnn/flow";
import { figure } from "../report/figure.ts";
import { heatMap } from "./heatMap.ts";

/**
 * Each loss by how far it reaches back, as SVG: the step of the loss to the right, the lag upwards,
 * the norm as colour.
 *
 * @example
 * ```ts
 * import { ones, type Tensor, zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams } from "@chronograd/rnn";
 * import { lagMatrix } from "@chronograd/rnn/flow";
 * import { drawLagMatrix } from "chronograd/flow";
 *
 * const cell = elman({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const stream = { inputs: ones([20, 1, 1]), targets: zeros([20, 1, 3]) };
 * const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
 * const svg = drawLagMatrix(lagMatrix(cell, params, stream, { loss, lags: 5 }));
 * svg.startsWith("<svg"); // => true
 * ```
 */
export function drawLagMatrix({ matrix }: Pick<LagMatrix, "matrix">): string {
  return figure(
    heatMap({
      columns: matrix,
      x: "time step s of the loss",
      y: "lag τ",
      colour: "|dl(s) / dh(s − τ)|",
      from: [1, 0],
    }),
  );
}
