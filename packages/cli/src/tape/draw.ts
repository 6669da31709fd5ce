import { escapeHtml } from "../report/escape.ts";
import type { Column } from "./columns.ts";
import { families, familyOf } from "./families.ts";
import {
  barGap,
  barHeight,
  boxHeight,
  cutRoom,
  type Frame,
  fix,
  frameOf,
  subscript,
  top,
} from "./frame.ts";
import type { RecordedSteps } from "./record.ts";
import { stateEdges } from "./stateEdges.ts";
import { type WindowSpan, windowSpans } from "./windows.ts";

/** What the picture says. */
export interface TapePicture {
  readonly title: string;
  readonly k1: number;
  readonly k2: number;
}

const line = (x1: number, y1: number, x2: number, y2: number, more: string) =>
  `<line x1="${fix(x1)}" y1="${fix(y1)}" x2="${fix(x2)}" y2="${fix(y2)}" ${more}/>`;
const text = (x: number, y: number, words: string, more = "") =>
  `<text x="${fix(x)}" y="${fix(y)}" ${more}>${escapeHtml(words)}</text>`;

/** The unrolled graph of a cell as an SVG, one column for each time step, with the cuts. */
export function drawTape(recorded: RecordedSteps, { title, k1, k2 }: TapePicture): string {
  const frame = frameOf(recorded);
  const spans = windowSpans(frame.columns.length, k1, k2);
  const bottom = frame.y(0) + boxHeight / 2 + 34;
  const height = bottom + 24 + spans.length * (barHeight + barGap) + 12;
  const width = Math.max(frame.width, 760);
  const count = recorded.steps.reduce((sum, entries) => sum + entries.length, 0);
  const heads = [
    text(24, 30, title, 'font-size="17" font-weight="600"'),
    text(
      24,
      50,
      `${count} entries in ${recorded.steps.length} time steps. Time runs to the right; in each step x is below and y above. A window's gradient stops at its cut: the state there is held constant.`,
      'class="note"',
    ),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${fix(width)}" height="${fix(height)}" viewBox="0 0 ${fix(width)} ${fix(height)}" role="img">`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>text{font-family:ui-sans-serif,system-ui,sans-serif;font-size:12px;fill:#1c1917}.op{font-family:ui-monospace,Menlo,Consolas,monospace;text-anchor:middle;dominant-baseline:central}.param{font-weight:700}.note{fill:#57534e}.edge{fill:none;stroke:#a8a29e;stroke-width:1.3}.state{fill:none;stroke:#1d4ed8;stroke-width:1.8}.halo{fill:none;stroke:#fff;stroke-width:5}.name{fill:#1d4ed8;font-style:italic}.cut{stroke:#dc2626;stroke-width:1.6;stroke-dasharray:6 4}.cross{stroke:#dc2626;stroke-width:2.4;fill:none}.cutName{fill:#dc2626;text-anchor:middle}</style>`,
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0 8 4 0 8z" fill="#a8a29e"/></marker><marker id="stateTip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0 8 4 0 8z" fill="#1d4ed8"/></marker></defs>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...heads,
    ...legend(recorded),
    ...frame.columns.flatMap((column, i) => edgesOf(column, frame.lefts[i]!, frame)),
    ...cutsOf(spans, frame, bottom),
    ...stateEdges(
      recorded,
      frame,
      new Set(spans.map(({ start }) => start).filter((start) => start > 0)),
    ),
    ...frame.columns.flatMap((column, i) => boxesOf(column, frame.lefts[i]!, frame, i + 1)),
    ...barsOf(spans, frame, bottom),
    "</svg>\n",
  ].join("\n");
}

/** The families of ops that occur. */
function legend({ steps }: RecordedSteps): string[] {
  const ops = steps.flat().map(({ op }) => familyOf(op).name);
  let x = 24;
  return families
    .filter(({ name }) => ops.includes(name))
    .flatMap(({ name, fill, line: stroke }) => {
      const parts = [
        `<rect x="${fix(x)}" y="66" width="16" height="12" rx="3" fill="${fill}" stroke="${stroke}"/>`,
        text(x + 22, 76, name, 'class="note"'),
      ];
      x += 22 + name.length * 6.4 + 22;
      return parts;
    });
}

/** Edges within a step, from below upwards. */
function edgesOf({ edges, layout }: Column, left: number, { y }: Frame): string[] {
  return edges.map(([from, to]) => {
    const points = layout.route(from, to);
    const [first, ...rest] = points;
    let [x, rank] = [first!.x, first!.rank];
    let path = `M${fix(left + x)} ${fix(y(rank) - boxHeight / 2)}`;
    for (const [i, next] of rest.entries()) {
      const isLast = i === rest.length - 1;
      const start = y(rank) - (i === 0 ? boxHeight / 2 : 0);
      const end = y(next.rank) + (isLast ? boxHeight / 2 + 1 : 0);
      const middle = (start + end) / 2;
      path += ` C${fix(left + x)} ${fix(middle)} ${fix(left + next.x)} ${fix(middle)} ${fix(left + next.x)} ${fix(end)}`;
      [x, rank] = [next.x, next.rank];
    }
    return `<path class="edge" marker-end="url(#tip)" d="${path}"/>`;
  });
}

/** The boxes of a step. */
function boxesOf({ boxes, layout }: Column, left: number, { y }: Frame, t: number): string[] {
  return boxes.map(({ key, label, params, entry, width }) => {
    const { x, rank } = layout.at.get(key)!;
    const [cx, cy] = [left + x, y(rank)];
    if (typeof entry === "string") {
      const [name, ...path] = label.split(".");
      const shown = `${name}${subscript(t)}${path.length > 0 ? `.${path.join(".")}` : ""}`;
      return text(cx, cy, shown, 'class="op param"');
    }
    const { fill, line: stroke } = familyOf(entry.op);
    const box = `<rect x="${fix(cx - width / 2)}" y="${fix(cy - boxHeight / 2)}" width="${fix(width)}" height="${boxHeight}" rx="6" fill="${fill}" stroke="${stroke}"/>`;
    const words = `<text class="op" x="${fix(cx)}" y="${fix(cy)}">${escapeHtml(label)}${params === "" ? "" : ` <tspan class="param">${escapeHtml(params)}</tspan>`}</text>`;
    const about = `entry ${entry.position}, time step ${t}: ${entry.op} gives ${entry.dtype} [${entry.shape}]`;
    return `<g><title>${escapeHtml(about)}</title>${box}${words}</g>`;
  });
}

/** A dashed line where the gradient of a window stops. */
function cutsOf(spans: readonly WindowSpan[], frame: Frame, bottom: number): string[] {
  return spans
    .filter(({ start }) => start > 0)
    .flatMap(({ number, start }) => {
      const x = frame.gutters[start]! + cutRoom / 2 + 2;
      const end = bottom + 24 + (number - 1) * (barHeight + barGap) + barHeight;
      return [
        line(x, top - 14, x, end, 'class="cut"'),
        text(x, top - 20, `cut of window ${number}`, 'class="cutName"'),
      ];
    });
}

/** A bar for each window below the graph: its new steps dark, those that it goes back to light. */
function barsOf(spans: readonly WindowSpan[], frame: Frame, bottom: number): string[] {
  const from = (t: number) => frame.gutters[t]! + cutRoom / 2 + 2;
  const to = (t: number) =>
    t === frame.columns.length ? frame.width - 14 : frame.gutters[t]! + cutRoom / 2 - 2;
  return spans.flatMap(({ number, start, newFrom, end }) => {
    const y = bottom + 24 + (number - 1) * (barHeight + barGap);
    const bar = (t: number, until: number, fill: string) =>
      `<rect x="${fix(from(t))}" y="${fix(y)}" width="${fix(to(until) - from(t))}" height="${barHeight}" rx="4" fill="${fill}"/>`;
    return [
      ...(start < newFrom ? [bar(start, newFrom, "#ccfbf1")] : []),
      bar(newFrom, end, "#0f766e"),
      text(
        (from(newFrom) + to(end)) / 2,
        y + 14,
        `window ${number}: losses of ${end - newFrom === 1 ? "step" : "steps"} ${newFrom + 1}${end - newFrom === 1 ? "" : ` to ${end}`}`,
        'text-anchor="middle" style="fill:#fff"',
      ),
      ...(start < newFrom
        ? [
            text(
              (from(start) + to(newFrom)) / 2,
              y + 14,
              `gradient back to step ${start + 1}`,
              'text-anchor="middle" style="fill:#115e59"',
            ),
          ]
        : []),
    ];
  });
}
