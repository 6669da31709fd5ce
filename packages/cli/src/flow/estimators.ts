import type { EstimatorComparison } from "@chronograd/rnn/estimators";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { tick } from "../report/tick.ts";
import { blue, grey, orange, paleBlue } from "./colours.ts";
import { named } from "./named.ts";

/** What lies below is drawn here: it is rounding. */
const least = 1e-8;

/** Pixels of a row, and of the column of each figure at the right. */
const [rowHeight, columnWidth] = [28, 76] as const;

/**
 * The estimators of a comparison, one below the other, as SVG: bias and deviation of each relative
 * to the norm of the full gradient, and at the right cosine and time.
 *
 * @example
 * ```ts
 * import { ones, type Tensor, zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams, truncated } from "@chronograd/rnn";
 * import { compareEstimators } from "@chronograd/rnn/estimators";
 * import { drawEstimators } from "chronograd/flow";
 *
 * const cell = elman({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const stream = { inputs: ones([8, 1, 1]), targets: zeros([8, 1, 3]) };
 * const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
 * const comparison = compareEstimators(
 *   cell,
 *   params,
 *   stream,
 *   [2, 4].map((k2) => ({
 *     name: `truncated, k2 = ${k2}`,
 *     windows: (model, values, steps, options) =>
 *       truncated(model, values, steps, { ...options, k1: 2, k2 }),
 *   })),
 *   { loss },
 * );
 * drawEstimators(comparison).startsWith("<svg"); // => true
 * ```
 */
export function drawEstimators({ full, estimators }: EstimatorComparison): string {
  const names = estimators.map(({ name }) => name);
  const bounded = (value: number) => Math.max(least, value);
  const biases = estimators.map(({ name, relative: { bias, biasError } }) => ({
    name,
    bias: bounded(bias),
    chance: bounded(biasError),
  }));
  const deviations = estimators
    .filter(({ isDeterministic }) => !isDeterministic)
    .map(({ name, relative: { deviation } }) => ({ name, deviation: bounded(deviation) }));
  const columns = [
    ["cosine", ({ cosine }: Row) => cosine.toFixed(3)],
    ["time / full", ({ seconds }: Row) => `${(seconds / full.seconds).toPrecision(2)} ×`],
  ] as const;
  const most = Math.max(
    1,
    ...biases.flatMap(({ bias, chance }) => [bias, chance]),
    ...deviations.map(({ deviation }) => deviation),
  );
  return figure({
    height: 90 + rowHeight * names.length,
    ...{ marginTop: 48, marginLeft: 130, marginRight: 16 + columnWidth * columns.length },
    x: {
      ...{ type: "log", domain: [least, 1.5 * most], grid: true },
      tickFormat: (value: number) => (value === least ? `≤ ${tick(value)}` : tick(value)),
      label: "relative to the norm of the full gradient",
    },
    y: { domain: names, label: null, type: "band" },
    marks: [
      Plot.ruleY(biases, { y: "name", x1: "bias", x2: least, stroke: paleBlue }),
      Plot.tickX(
        biases.filter(({ chance }) => chance > least),
        { y: "name", x: "chance", stroke: grey, insetTop: 5, insetBottom: 5 },
      ),
      Plot.dot(deviations, { y: "name", x: "deviation", stroke: orange, r: 4, strokeWidth: 2 }),
      Plot.dot(biases, { y: "name", x: "bias", fill: blue, r: 4 }),
      ...columns.flatMap(([head, text], i) => {
        const place = {
          frameAnchor: "right",
          textAnchor: "end",
          dx: columnWidth * (i + 1),
        } as const;
        return [
          Plot.text(estimators, { ...place, y: "name", text }),
          Plot.text([head], { ...place, frameAnchor: "top-right", dy: -14, fill: grey }),
        ];
      }),
      ...named(
        [
          ["bias", blue],
          ["bias by chance alone", grey],
          ["deviation of one estimate", orange],
        ],
        -34,
      ),
    ],
  });
}

type Row = EstimatorComparison["estimators"][number];
