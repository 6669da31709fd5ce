import * as Plot from "@observablehq/plot";
import { parts } from "../comparison/parts.ts";
import type { Metrics } from "../training/metrics.ts";
import { figure } from "./figure.ts";
import type { Section } from "./page.ts";
import { tick } from "./tick.ts";

/** At most `count` of a list, evenly spaced. */
function thin<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]!);
}

function smooth(
  metrics: readonly Metrics[],
  of: (m: Metrics) => number,
  span: number,
): { seconds: number; value: number }[] {
  let value = of(metrics[0]!);
  return metrics.map((m) => {
    value += (of(m) - value) / span;
    return { seconds: m.seconds, value };
  });
}

function lossFigure(metrics: readonly Metrics[], unit: string): string {
  const points = thin(metrics, 1500);
  return figure({
    y: { label: unit, grid: true, type: "log", tickFormat: tick },
    x: { label: "seconds of training" },
    marks: [
      Plot.dot(points, { x: "seconds", y: "loss", r: 1, fill: "#9db7d5" }),
      Plot.line(
        smooth(points, (m) => m.loss, 20),
        { x: "seconds", y: "value", stroke: "#1f5a99", strokeWidth: 2 },
      ),
      Plot.lineY(
        metrics.filter((m) => m.heldOutEstimate !== undefined),
        { x: "seconds", y: "heldOutEstimate", stroke: "#c2410c", strokeWidth: 2, marker: "dot" },
      ),
    ],
  });
}

function gradientFigure(metrics: readonly Metrics[], clip: number): string {
  const points = thin(metrics, 1500);
  return figure({
    y: { label: "norm of the gradient before clipping", grid: true, type: "log", tickFormat: tick },
    x: { label: "seconds of training" },
    marks: [
      Plot.dot(points, { x: "seconds", y: "gradientNorm", r: 1, fill: "#a7c4a0" }),
      Plot.line(
        smooth(points, (m) => m.gradientNorm, 20),
        { x: "seconds", y: "value", stroke: "#2f6b2f", strokeWidth: 2 },
      ),
      Plot.ruleY([clip], { stroke: "#c2410c", strokeDasharray: "4 3" }),
    ],
  });
}

/** The size of updates beside that of the weights. */
function updateFigure(metrics: readonly Metrics[]): string {
  const measured = thin(
    metrics.filter((m) => m.updateToWeight! > 0),
    1500,
  );
  return figure({
    y: { label: "update / weights", grid: true, type: "log", tickFormat: tick },
    x: { label: "seconds of training" },
    marks: [
      Plot.lineY(measured, {
        ...{ x: "seconds", y: "updateToWeight" },
        ...{ stroke: "#1f5a99", strokeWidth: 2 },
      }),
      Plot.ruleY([1e-3], { stroke: "#78716c", strokeDasharray: "4 3" }),
    ],
  });
}

/**
 * Norms by distance back from the window's end, one curve for an early and one for each later part
 * of the run.
 */
function reachFigure(metrics: readonly Metrics[]): string {
  const measured = metrics.filter((m) => m.stateGradientNorms !== undefined);
  const curves = parts(measured, 4).map((group) => {
    const longest = Math.max(...group.map((m) => m.stateGradientNorms!.length));
    const full = group.filter((m) => m.stateGradientNorms!.length === longest);
    return Array.from({ length: longest }, (_, i) => ({
      back: longest - i,
      norm: full.reduce((sum, m) => sum + m.stateGradientNorms![i]!, 0) / full.length,
      seconds: full.reduce((sum, m) => sum + m.seconds, 0) / full.length,
    }));
  });
  return figure({
    y: { label: "norm of dL/dh", grid: true, type: "log", tickFormat: tick },
    x: { label: "steps back from the window's end", reverse: true },
    // From dark to light with time, each dark enough to read on white.
    color: { type: "ordinal", range: ["#440154", "#31688e", "#1f9e6e", "#c08a00"] },
    marks: [
      Plot.line(
        curves.flat().filter((p) => p.norm > 0),
        { x: "back", y: "norm", stroke: "seconds", z: "seconds", strokeWidth: 2 },
      ),
      Plot.text(
        curves.flatMap((curve, i) => curve.slice(4 * i + 2, 4 * i + 3).filter((p) => p.norm > 0)),
        {
          x: "back",
          y: "norm",
          text: (p: { seconds: number }) => `${p.seconds.toFixed(0)} s`,
          dy: -8,
          fill: "seconds",
          stroke: "white",
          strokeWidth: 4,
        },
      ),
    ],
  });
}

/** What the figures of a training run show, beside its metrics. */
export interface TrainingFacts {
  /** Of the loss. */
  readonly unit: string;
  readonly clip: number;
  readonly k1: number;
}

/** The loss, the norm of the gradient, and how far back it reaches. */
export function trainingSections(
  metrics: readonly Metrics[],
  { unit, clip, k1 }: TrainingFacts,
): Section[] {
  const isMeasured = metrics.some((m) => m.stateGradientNorms !== undefined);
  const hasUpdates = metrics.some((m) => m.updateToWeight! > 0);
  const clipped = metrics.filter((m) => m.gradientNorm > clip).length / metrics.length;
  return [
    {
      heading: "Loss",
      note: "Blue: each window's new steps, and their running mean. Orange: an estimate on a small part of the held-out data.",
      html: lossFigure(metrics, unit),
    },
    {
      heading: "Gradient norm",
      note: `Global norm of each window's gradient before clipping; the dashed line is where it is clipped, in ${(100 * clipped).toFixed(0)} % of the windows.`,
      html: gradientFigure(metrics, clip),
    },
    ...(hasUpdates
      ? [
          {
            heading: "Updates beside the weights",
            note: "Norm of an update over that of all parameters. The dashed line is 0.001, about which a training goes well.",
            html: updateFigure(metrics),
          },
        ]
      : []),
    ...(isMeasured
      ? [
          {
            heading: "How far back the gradient reaches",
            note: `Norm of the gradient by the state before each step of a window, in parts of the run. New losses are in the last ${k1} steps; what is left at the far end is what the cut leaves out.`,
            html: reachFigure(metrics),
          },
        ]
      : []),
  ];
}
