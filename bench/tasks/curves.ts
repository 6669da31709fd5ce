import * as Plot from "@observablehq/plot";
import { figure } from "chronograd/report";
import type { TaskResult } from "./results.ts";

const [height, gap] = [320, 13];

/** The figure on held-out sequences by batches, a line for each estimator, as an SVG. */
export function curves({ figure: name, isBetterHigh, baseline, cells }: TaskResult): string {
  const points = cells.flatMap(({ estimator, curve }) =>
    curve.map((point) => ({ estimator, ...point })),
  );
  const isLogarithmic = name === "MSE";
  const all = [baseline, ...points.map((point) => point.figure)];
  const domain = isBetterHigh ? [Math.min(0.45, ...all), 1] : [Math.min(...all), Math.max(...all)];
  const ends = cells.map(({ estimator, curve }) => ({ estimator, ...curve.at(-1)! }));
  return figure({
    height,
    marginRight: 130,
    x: { label: "batches", labelAnchor: "center" },
    y: {
      label: `${name} on held-out sequences`,
      grid: true,
      domain,
      ...(isLogarithmic && { type: "log", tickFormat: "~g" }),
    },
    color: { domain: cells.map(({ estimator }) => estimator), scheme: "observable10" },
    marks: [
      Plot.ruleY([baseline], { stroke: "#78716c", strokeDasharray: "4 3" }),
      Plot.line(points, { x: "batches", y: "figure", stroke: "estimator", strokeWidth: 1.75 }),
      Plot.text(apart(ends, domain as [number, number], isLogarithmic), {
        x: "batches",
        y: "at",
        text: "estimator",
        fill: "estimator",
        textAnchor: "start",
        dx: 6,
      }),
    ],
  });
}

/** Labels at the ends of the lines, moved so far that none covers another. */
function apart<End extends { readonly figure: number }>(
  ends: readonly End[],
  [low, high]: readonly [number, number],
  isLogarithmic: boolean,
): (End & { readonly at: number })[] {
  const scale = isLogarithmic ? Math.log : (x: number) => x;
  const inverse = isLogarithmic ? Math.exp : (x: number) => x;
  const span = scale(high) - scale(low);
  const step = (gap / (height - 62)) * span;
  const sorted = ends.toSorted((a, b) => a.figure - b.figure);
  const places = sorted.map(({ figure }) => scale(figure));
  for (let i = 1; i < places.length; i++) places[i] = Math.max(places[i]!, places[i - 1]! + step);
  // What went over the upper edge pushes the others down.
  for (let i = places.length - 1, edge = scale(high); i >= 0; i--, edge = places[i + 1]! - step) {
    places[i] = Math.min(places[i]!, edge);
  }
  return sorted.map((end, i) => ({ ...end, at: inverse(places[i]!) }));
}
