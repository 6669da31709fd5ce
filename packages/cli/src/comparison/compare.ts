import * as Plot from "@observablehq/plot";
import { short } from "../command/short.ts";
import { tick } from "../report/tick.ts";
import { figure, page, table } from "../report.ts";
import { type Summary, shown } from "./summary.ts";

/** Rows of a table of two runs: a name, and its value in each. */
export type Row = readonly [name: string, a: string, b: string];

const number = (value: number | undefined) => {
  if (value === undefined) return "";
  return Number.isInteger(value) ? value.toLocaleString("en") : short(value);
};

/** The options that two runs do not share. */
export function differences(a: Summary, b: Summary): Row[] {
  const keys = [...new Set([...Object.keys(a.run.options), ...Object.keys(b.run.options)])];
  const textOf = ({ run }: Summary, key: string) =>
    run.options[key] === undefined ? "" : shown(run.options[key]);
  return keys
    .map((key) => [key, textOf(a, key), textOf(b, key)] as const)
    .filter(([key]) => JSON.stringify(a.run.options[key]) !== JSON.stringify(b.run.options[key]));
}

/** What the two runs came to. */
export function results(a: Summary, b: Summary): Row[] {
  const row = (name: string, of: (run: Summary) => string): Row => [name, of(a), of(b)];
  const names = [...new Set([...a.figures, ...b.figures].map(({ what }) => what))];
  return [
    row("kind", ({ run }) => run.kind),
    row("began", ({ run }) => dateOf(run.began)),
    row("parameters", ({ parameters }) => number(parameters)),
    row("windows", ({ windows }) => number(windows)),
    row("steps", ({ curve }) => number(curve.at(-1)?.step)),
    row("seconds", ({ curve }) => number(curve.at(-1)?.seconds)),
    row("last training loss", ({ curve }) => number(lastLoss(curve))),
    ...names.map((what) =>
      row(what, ({ figures }) => number(figures.find((each) => each.what === what)?.value)),
    ),
  ].filter(([, left, right]) => left !== "" || right !== "");
}

/** The mean of the last losses of a curve. */
export function lastLoss(curve: Summary["curve"]): number | undefined {
  if (curve.length === 0) return undefined;
  const last = curve.slice(-Math.min(100, Math.ceil(curve.length / 10)));
  return last.reduce((sum, { loss }) => sum + loss, 0) / last.length;
}

/** `2026-11-26 06:30`, UTC. */
export const dateOf = (began: string): string => began.slice(0, 16).replace("T", " ");

/** Both runs on one page. */
export function comparisonPage(a: Summary, b: Summary): string {
  const head = ["", a.name, b.name];
  return page({
    title: `${a.name} and ${b.name}`,
    facts: [a, b].map(({ name, data, cell }) => [name, data, cell].filter(Boolean).join(": ")),
    sections: [
      { heading: "Results", html: table(head, results(a, b)) },
      { heading: "Options that differ", html: table(head, differences(a, b)) },
      {
        heading: "Loss by time steps",
        note: "Running means of the training losses.",
        html: curves([a, b], "step", "time steps"),
      },
      {
        heading: "Loss by time",
        note: "The same, by seconds of training.",
        html: curves([a, b], "seconds", "seconds"),
      },
    ],
  });
}

/** The smoothed curves of runs. */
function curves(runs: readonly Summary[], by: "step" | "seconds", label: string): string {
  const points = runs.flatMap(({ name, curve }) => {
    const every = Math.max(1, Math.floor(curve.length / 400));
    let mean = curve[0]?.loss ?? 0;
    return curve.flatMap((point, i) => {
      mean += (point.loss - mean) / Math.min(i + 1, 2 * every + 10);
      const x = point[by];
      return i % every === 0 && x !== undefined ? [{ run: name, x, loss: mean }] : [];
    });
  });
  const isPositive = points.every(({ loss }) => loss > 0);
  return figure({
    x: { label },
    y: {
      label: "loss",
      grid: true,
      type: isPositive ? "log" : "linear",
      ...(isPositive && { tickFormat: tick }),
    },
    color: { domain: runs.map(({ name }) => name), range: ["#1f5a99", "#c2410c"] },
    marks: [
      Plot.line(points, { x: "x", y: "loss", stroke: "run", strokeWidth: 2 }),
      Plot.text(
        points,
        Plot.selectLast({
          x: "x",
          y: "loss",
          z: "run",
          text: "run",
          fill: "run",
          stroke: "white",
          strokeWidth: 4,
          dy: -8,
          textAnchor: "end",
        }),
      ),
    ],
  });
}
