import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Metrics } from "./metrics.ts";
import type { Options } from "./options.ts";

/** The text of the report, without its figures. */
export interface Summary {
  readonly name: string;
  readonly source: string;
  readonly options: Options;
  readonly parameters: number;
  readonly heldOut: number;
  readonly sample: string;
}

const width = 860;

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

function escapeHtml(text: string): string {
  return text.replace(
    /[&<>"]/g,
    (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!,
  );
}

function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const figure = Plot.plot({
    width,
    height: 300,
    marginLeft: 56,
    style: { fontSize: "12px" },
    document: document as unknown as Document,
    ...options,
  });
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return figure.outerHTML;
}

function lossFigure(metrics: readonly Metrics[]): string {
  const points = thin(metrics, 1500);
  return draw({
    y: { label: "nats per character", grid: true, type: "log", tickFormat: tick },
    x: { label: "seconds of training" },
    marks: [
      Plot.dot(points, { x: "seconds", y: "loss", r: 1, fill: "#9db7d5" }),
      Plot.line(
        smooth(points, (m) => m.loss, 20),
        { x: "seconds", y: "value", stroke: "#1f5a99", strokeWidth: 2 },
      ),
      Plot.lineY(
        metrics.filter((m) => m.heldOut !== undefined),
        { x: "seconds", y: "heldOut", stroke: "#c2410c", strokeWidth: 2, marker: "dot" },
      ),
    ],
  });
}

function gradientFigure(metrics: readonly Metrics[], clip: number): string {
  const points = thin(metrics, 1500);
  return draw({
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

/**
 * Norms by distance back from the window's end, one curve for an early and one for each later part
 * of the run.
 */
function reachFigure(metrics: readonly Metrics[]): string {
  const measured = metrics.filter((m) => m.stateGradientNorms !== undefined);
  const parts = Math.min(4, measured.length);
  const curves = Array.from({ length: parts }, (_, part) => {
    const group = measured.slice(
      Math.floor((part * measured.length) / parts),
      Math.floor(((part + 1) * measured.length) / parts),
    );
    const longest = Math.max(...group.map((m) => m.stateGradientNorms!.length));
    const full = group.filter((m) => m.stateGradientNorms!.length === longest);
    return Array.from({ length: longest }, (_, i) => ({
      back: longest - i,
      norm: full.reduce((sum, m) => sum + m.stateGradientNorms![i]!, 0) / full.length,
      seconds: full.reduce((sum, m) => sum + m.seconds, 0) / full.length,
    }));
  });
  return draw({
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

/** A tick of a logarithmic axis, in plain digits where there are few. */
function tick(value: number): string {
  return value >= 0.001 ? String(Number(value.toPrecision(2))) : value.toExponential(0);
}

/** A page with three figures and the sample, complete in itself. */
export function report(
  metrics: readonly Metrics[],
  { name, source, options, parameters, heldOut, sample }: Summary,
): string {
  const { cell, hidden, batch, k1, k2, clip, lr, seed } = options;
  const last = metrics.at(-1)!;
  const facts = [
    `${cell}, ${hidden} hidden units, ${parameters.toLocaleString("en")} parameters`,
    `batch ${batch}, k1 = ${k1}, k2 = ${k2}, clip ${clip}, learning rate ${lr}, seed ${seed}`,
    `${last.window + 1} windows, ${(last.step * batch).toLocaleString("en")} characters in ${last.seconds.toFixed(0)} s`,
    `held-out loss ${heldOut.toFixed(3)} nats (${(heldOut / Math.LN2).toFixed(3)} bits) per character`,
  ];
  const measured = metrics.some((m) => m.stateGradientNorms !== undefined);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(name)}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: ${width}px; margin: 2rem auto; padding: 0 1rem; color: #1c1917; background: #fff; }
  h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 0.2rem; }
  p.note { margin: 0 0 0.5rem; color: #57534e; } svg { max-width: 100%; height: auto; }
  pre { white-space: pre-wrap; background: #f5f5f4; padding: 1rem; border-radius: 6px; }
</style>
<h1>${escapeHtml(source)}, learnt by truncated back-propagation through time</h1>
<ul>${facts.map((fact) => `<li>${escapeHtml(fact)}</li>`).join("")}</ul>
<h2>Loss</h2>
<p class="note">Blue: each window's new characters, and their running mean. Orange: held-out text.</p>
${lossFigure(metrics)}
<h2>Gradient norm</h2>
<p class="note">Global norm of each window's gradient before clipping; the dashed line is where it is clipped.</p>
${gradientFigure(metrics, clip)}
${
  measured
    ? `<h2>How far back the gradient reaches</h2>
<p class="note">Norm of the gradient by the state before each step of a window, in four parts of the run. New losses are in the last ${k1} steps; what is left at the far end is what the cut leaves out.</p>
${reachFigure(metrics)}`
    : ""
}
<h2>A sample at temperature ${options.temperature}</h2>
<pre>${escapeHtml(sample)}</pre>
</html>
`;
}
