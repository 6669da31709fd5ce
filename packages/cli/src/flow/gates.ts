import type { GateSaturation } from "@chronograd/rnn/flow";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { blue, grey } from "./colours.ts";

/** Gates in a row of the picture. */
const columns = 4;

/**
 * The units of each gate by how often they are near their bounds, as SVG (Karpathy, Johnson &
 * Fei-Fei 2015, figure 3): near the lower bound to the right, near the upper one upwards.
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams } from "@chronograd/rnn";
 * import { gateSaturation } from "@chronograd/rnn/flow";
 * import { drawGates } from "chronograd/flow";
 *
 * const cell = gru({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const stream = { inputs: ones([20, 1, 1]) };
 * const svg = drawGates(gateSaturation(cell, params, stream));
 * svg.startsWith("<svg"); // => true
 * ```
 */
export function drawGates({ gates }: Pick<GateSaturation, "gates">): string {
  const place = (i: number) => ({ fx: i % columns, fy: Math.floor(i / columns) });
  const units = gates.flatMap(({ units: { low, high } }, i) =>
    low.map((share, unit) => ({ low: share, high: high[unit]!, ...place(i) })),
  );
  const names = gates.map(({ name, op }, i) => ({ text: `${name} (${op})`, ...place(i) }));
  const rows = Math.ceil(gates.length / columns);
  const corners = names.map(({ fx, fy }) => ({ fx, fy, x1: 0, y1: 1, x2: 1, y2: 0 }));
  const facet = { fx: "fx", fy: "fy" } as const;
  return figure({
    ...{ height: 60 + 200 * rows, marginTop: 24 },
    fx: {
      axis: null,
      paddingInner: 0.2,
      paddingOuter: 0,
      domain: Array.from({ length: columns }, (_, i) => i),
    },
    fy: { axis: null, paddingInner: 0.25, paddingOuter: 0 },
    x: { domain: [0, 1], ticks: 3, label: "share of values near the lower bound" },
    y: { domain: [0, 1], ticks: 3, label: "share near the upper bound" },
    marks: [
      Plot.frame({ ...facet, stroke: "#e7e5e4" }),
      Plot.link(corners, { ...facet, x1: "x1", y1: "y1", x2: "x2", y2: "y2", stroke: "#e7e5e4" }),
      Plot.dot(units, { ...facet, x: "low", y: "high", r: 2.5, fill: blue, fillOpacity: 0.5 }),
      Plot.text(names, {
        ...{ ...facet, text: "text", fill: grey },
        ...{ frameAnchor: "top-right", textAnchor: "end", dy: 2 },
      }),
    ],
  });
}
