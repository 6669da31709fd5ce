import type { Result } from "./measure.ts";

/** One panel: how cost grows with one size. */
interface Panel {
  readonly title: string;
  /** The size along x, in the names of cases and in configurations. */
  readonly size: "T" | "H" | "B";
}

const panels: readonly Panel[] = [
  { title: "a stream of T steps (H 32, B 1, k1 25, k2 50)", size: "T" },
  { title: "a step by hidden size H (B 32, T 50)", size: "H" },
  { title: "a step by batch size B (H 128, T 50)", size: "B" },
];

const colours: Readonly<Record<string, string>> = {
  chronograd: "#1f5a99",
  "chronograd-recorded": "#2f6b2f",
  pytorch: "#c2410c",
};
const frame = { width: 340, height: 300, left: 58, right: 14, top: 40, bottom: 44 };

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Powers of ten (of two, where the range is small) in a range. */
function ticks(low: number, high: number, base: number): number[] {
  const found: number[] = [];
  const first = Math.ceil(Math.log(low) / Math.log(base) - 1e-9);
  for (let e = first; base ** e <= high * 1.001; e++) found.push(base ** e);
  return found;
}

function label(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e4) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(3)));
}

/** Maps `low..high` to `from..to` by logarithm. */
function logScale(low: number, high: number, from: number, to: number): (value: number) => number {
  const span = Math.log(high / low) || 1;
  return (value) => from + (Math.log(value / low) / span) * (to - from);
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${content}</text>`;
}

function drawPanel({ title, size }: Panel, lines: ReadonlyMap<string, Point[]>): string {
  const points = [...lines.values()].flat();
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [xLow, xHigh] = [Math.min(...xs), Math.max(...xs)];
  const [yLow, yHigh] = [Math.min(...ys) / 1.3, Math.max(...ys) * 1.3];
  const bottom = frame.height - frame.bottom;
  const right = frame.width - frame.right;
  const x = logScale(xLow, xHigh, frame.left + 8, right - 8);
  const y = logScale(yLow, yHigh, bottom, frame.top);
  const parts = [text(frame.left, 20, title, 'font-weight="600"')];
  for (const tick of ticks(yLow, yHigh, yHigh / yLow > 50 ? 10 : 2)) {
    const at = y(tick).toFixed(1);
    parts.push(`<path d="M${frame.left} ${at}H${right}" stroke="#e7e5e4"/>`);
    parts.push(text(frame.left - 6, y(tick) + 4, label(tick), 'text-anchor="end"'));
  }
  for (const tick of ticks(xLow, xHigh, size === "T" ? 10 : 2)) {
    parts.push(text(x(tick), bottom + 18, label(tick), 'text-anchor="middle"'));
  }
  parts.push(text((frame.left + right) / 2, bottom + 36, size, 'text-anchor="middle"'));
  parts.push(text(frame.left, 34, "milliseconds", 'fill="#57534e"'));
  [...lines].forEach(([system, line], index) => {
    const colour = colours[system] ?? "#57534e";
    const path = line.map((p) => `${x(p.x).toFixed(1)} ${y(p.y).toFixed(1)}`).join("L");
    parts.push(`<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const p of line) {
      const centre = `cx="${x(p.x).toFixed(1)}" cy="${y(p.y).toFixed(1)}"`;
      parts.push(`<circle ${centre} r="3" fill="${colour}"/>`);
    }
    const attributes = `fill="${colour}" text-anchor="end"`;
    parts.push(text(right, bottom - 8 - 16 * index, system, attributes));
  });
  return parts.join("\n");
}

/** Cost against T, H and B, both axes logarithmic; `undefined` when no such case was measured. */
export function growthFigure(results: readonly Result[]): string | undefined {
  const drawn: string[] = [];
  for (const panel of panels) {
    const lines = new Map<string, Point[]>();
    for (const { name, system, config, median_ms } of results) {
      if (!name.startsWith(`growth-${panel.size}-`)) continue;
      const line = lines.get(system) ?? [];
      line.push({ x: Number(config[panel.size]), y: median_ms });
      lines.set(system, line);
    }
    if (lines.size === 0) continue;
    const shift = drawn.length * frame.width;
    drawn.push(`<g transform="translate(${shift} 0)">\n${drawPanel(panel, lines)}\n</g>`);
  }
  if (drawn.length === 0) return undefined;
  const [width, height] = [drawn.length * frame.width, frame.height];
  const style = 'font-family="system-ui, sans-serif" font-size="12" fill="#1c1917"';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${style}>
<rect width="${width}" height="${height}" fill="#fff"/>
${drawn.join("\n")}
</svg>
`;
}
