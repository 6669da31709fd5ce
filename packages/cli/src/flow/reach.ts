import type { LagMatrix } from "@chronograd/rnn/flow";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { tick } from "../report/tick.ts";
import { blue, grey, orange, paleBlue } from "./colours.ts";

/** Means below this share of the largest are not drawn. */
const depth = 1e-8;

/**
 * The mean norm at each lag with its interval, the decay that was fitted, and how many steps hold a
 * share of the mass, as SVG.
 *
 * @example
 * ```ts
 * import { ones, type Tensor, zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams } from "@chronograd/rnn";
 * import { lagMatrix } from "@chronograd/rnn/flow";
 * import { drawReach } from "chronograd/flow";
 *
 * const cell = elman({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const stream = { inputs: ones([20, 1, 1]), targets: zeros([20, 1, 3]) };
 * const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
 * const svg = drawReach(lagMatrix(cell, params, stream, { loss, lags: 5 }));
 * svg.startsWith("<svg"); // => true
 * ```
 */
export function drawReach({ mean, interval, decay, reach }: LagMatrix): string {
  const floor = depth * Math.max(...mean);
  const points = mean.map((value, lag) => ({ lag, value })).filter(({ value }) => value > floor);
  const least = Math.min(...points.map(({ value }) => value));
  const band = (interval ?? []).flatMap(([low, high], lag) =>
    high > floor ? [{ lag, low: Math.max(low, least / 3), high }] : [],
  );
  // The line through the middle of the logarithms that were fitted.
  const fitted = points.filter(({ lag }) => decay && lag >= decay.from && lag <= decay.to);
  const middle = meanOf(fitted.map(({ lag }) => lag));
  const level = Math.exp(meanOf(fitted.map(({ value }) => Math.log(value))));
  const line = fitted.map(({ lag }) => ({ lag, value: level * decay!.rate ** (lag - middle) }));
  const held = reach.flatMap(({ share, steps }) =>
    steps === null ? [] : [{ lag: steps - 1, text: `${Math.round(100 * share)} %` }],
  );
  // One above the other, so that near ones stay apart.
  const labels = held.map((each, i) =>
    Plot.text([each], {
      ...{ x: "lag", text: "text", fill: grey, stroke: "white", strokeWidth: 4 },
      ...{ frameAnchor: "bottom", textAnchor: "start", dx: 4, dy: -6 - 15 * i },
    }),
  );
  return figure({
    x: { label: "lag τ, steps back from the loss", domain: [0, Math.max(1, mean.length - 1)] },
    y: { label: "mean of |dl(s) / dh(s − τ)|", type: "log", grid: true, tickFormat: tick },
    marks: [
      Plot.areaY(band, { x: "lag", y1: "low", y2: "high", fill: paleBlue, fillOpacity: 0.4 }),
      Plot.lineY(points, { x: "lag", y: "value", stroke: blue, strokeWidth: 2 }),
      Plot.lineY(line, { x: "lag", y: "value", stroke: orange, strokeDasharray: "5 4" }),
      Plot.ruleX(held, { x: "lag", stroke: grey, strokeDasharray: "2 3" }),
      ...labels,
    ],
  });
}

const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
