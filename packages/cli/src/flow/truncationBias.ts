import type { Estimate } from "@chronograd/rnn/flow";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { tick } from "../report/tick.ts";
import { blue, green, grey, orange } from "./colours.ts";
import { named } from "./named.ts";

/** A window, and how far its gradient is from the full one. */
export interface RelativeBias {
  readonly k2: number;
  readonly relativeError: Estimate;
}

/** What else the picture of a bias shows. */
export interface BiasMarks {
  /** The relative bias that is allowed. */
  readonly tolerance?: number;
  /** A window to be marked, such as that of a run. */
  readonly k2?: number;
}

/** Below is what float32 rounds away. */
const least = 1e-7;

const isDrawn = (value: number | null): value is number => value !== null && value > least;

/**
 * The relative error of truncated gradients for several k2, with its interval, as SVG.
 *
 * @param curves one or two measurements by their names in the legend: `measured` of `chooseWindow`,
 *   or what `truncationBias` gives for all parameters
 *
 * @example
 * ```ts
 * import { ones, type Tensor, zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams } from "@chronograd/rnn";
 * import { truncationBias } from "@chronograd/rnn/flow";
 * import { drawTruncationBias } from "chronograd/flow";
 *
 * const cell = elman({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const stream = { inputs: ones([20, 1, 1]), targets: zeros([20, 1, 3]) };
 * const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
 * const { biases } = truncationBias(cell, params, stream, { loss, k1: 2, k2: [2, 4, 8] });
 * const all = biases.map(({ k2, all: { relativeError } }) => ({ k2, relativeError }));
 * const svg = drawTruncationBias({ "k1 = 2": all }, { tolerance: 0.1 });
 * svg.startsWith("<svg"); // => true
 * ```
 */
export function drawTruncationBias(
  curves: Readonly<Record<string, readonly RelativeBias[]>>,
  { tolerance, k2: own }: BiasMarks = {},
): string {
  const drawn = Object.entries(curves).map(([name, biases], i) => {
    const sorted = biases.toSorted((a, b) => a.k2 - b.k2);
    return { name, colour: i === 0 ? blue : green, ...partsOf(sorted) };
  });
  const all = Object.values(curves).flatMap((biases) => biases.map(({ k2 }) => k2));
  const [first, last] = [Math.min(...all), Math.max(...all)];
  // In the wider half of the frame.
  const side = own !== undefined && own ** 2 > first * last ? -1 : 1;
  return figure({
    marginTop: 28,
    x: {
      label: "k2, time steps that a window goes back",
      ...{ type: "log", domain: [first / 1.1, last * 1.1], grid: true, tickFormat: tick },
    },
    y: { label: "relative bias", type: "log", grid: true, tickFormat: tick },
    marks: [
      ...(tolerance === undefined
        ? []
        : [Plot.ruleY([tolerance], { stroke: orange, strokeDasharray: "5 4" })]),
      ...(own === undefined
        ? []
        : [
            Plot.ruleX([own], { stroke: grey, strokeDasharray: "2 3" }),
            Plot.text([`k2 = ${own}`], {
              ...{ x: () => own, fill: grey, stroke: "white", strokeWidth: 4 },
              ...{ frameAnchor: "bottom", textAnchor: side < 0 ? "end" : "start" },
              ...{ dx: 4 * side, dy: -8 },
            }),
          ]),
      ...drawn.flatMap(({ colour, errors, bands }) => [
        Plot.ruleX(bands, { x: "k2", y1: "low", y2: "high", stroke: colour }),
        Plot.lineY(errors, { x: "k2", y: "value", stroke: colour, strokeWidth: 2 }),
        Plot.dot(errors, { x: "k2", y: "value", fill: colour, r: 3 }),
      ]),
      ...named([
        ...drawn.map(({ name, colour }) => [name, colour] as const),
        ...(tolerance === undefined ? [] : [["tolerance", orange] as const]),
      ]),
    ],
  });
}

/** The errors that exist, and the intervals that end. */
function partsOf(sorted: readonly RelativeBias[]) {
  const errors = sorted.flatMap(({ k2, relativeError }) =>
    isDrawn(relativeError.value) ? [{ k2, value: relativeError.value }] : [],
  );
  const bands = sorted.flatMap(({ k2, relativeError }) => {
    const { value, low, high } = relativeError;
    return isDrawn(high) && isDrawn(value)
      ? [{ k2, low: Math.max(low ?? 0, value / 10), high }]
      : [];
  });
  return { errors, bands };
}
