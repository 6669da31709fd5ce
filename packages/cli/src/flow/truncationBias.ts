import type { TruncationBias } from "@chronograd/rnn/flow";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { tick } from "../report/tick.ts";
import { blue, grey, orange, paleBlue } from "./colours.ts";
import { named } from "./named.ts";

/** What else the picture of a bias shows. */
export interface BiasMarks {
  /** The relative bias that is allowed. */
  readonly tolerance?: number;
  /** A window to be marked, such as that of a run. */
  readonly k2?: number;
}

/**
 * The relative error of the truncated gradient for several k2 with its interval, and one minus its
 * cosine, as SVG.
 */
export function drawTruncationBias(
  { biases }: Pick<TruncationBias, "biases">,
  { tolerance, k2: own }: BiasMarks = {},
): string {
  const sorted = [...biases].sort((a, b) => a.k2 - b.k2);
  const isDrawn = (value: number | null): value is number => value !== null && value > 0;
  const errors = sorted.flatMap(({ k2, all: { relativeError } }) =>
    isDrawn(relativeError.value) ? [{ k2, value: relativeError.value }] : [],
  );
  const angles = sorted.flatMap(({ k2, all: { cosine } }) =>
    isDrawn(cosine.value) && cosine.value < 1 ? [{ k2, value: 1 - cosine.value }] : [],
  );
  const least = Math.min(...errors.map(({ value }) => value), tolerance ?? 1);
  const bands = sorted.flatMap(({ k2, all: { relativeError } }) => {
    const { low, high } = relativeError;
    return isDrawn(high) ? [{ k2, low: Math.max(low ?? 0, least / 10), high }] : [];
  });
  const curves = [
    { name: "relative error", points: errors, colour: blue },
    { name: "1 − cosine", points: angles, colour: paleBlue },
  ];
  return figure({
    marginTop: 28,
    x: { label: "k2, time steps that a window goes back", grid: true, nice: true },
    y: { label: "bias against the full gradient", type: "log", grid: true, tickFormat: tick },
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
              ...{ frameAnchor: "top", textAnchor: "end", dx: -4, dy: 8 },
            }),
          ]),
      Plot.ruleX(bands, { x: "k2", y1: "low", y2: "high", stroke: blue }),
      ...curves.flatMap(({ points, colour }) => [
        Plot.lineY(points, { x: "k2", y: "value", stroke: colour, strokeWidth: 2 }),
        Plot.dot(points, { x: "k2", y: "value", fill: colour, r: 3 }),
      ]),
      ...named([
        ...curves.map(({ name, colour }) => [name, colour] as const),
        ...(tolerance === undefined ? [] : [["tolerance", orange] as const]),
      ]),
    ],
  });
}
