import type { LagMatrix } from "@chronograd/rnn/flow";
import { figure } from "../report/figure.ts";
import { heatMap } from "./heatMap.ts";

/**
 * Each loss by how far it reaches back, as SVG: the step of the loss to the right, the lag upwards,
 * the norm as colour.
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
