import * as Plot from "@observablehq/plot";
import { figure } from "chronograd/report";

/** A cell while it learns, and what it has learnt. */
export interface Curve {
  readonly cell: string;
  /** By window: characters read so far, and the loss of the window in bits per character. */
  readonly points: readonly { readonly characters: number; readonly bits: number }[];
  /** Bits per character on the held-out text. */
  readonly heldOut: number;
}

/** Means of `size` windows each. */
function means({ cell, points }: Curve, size: number) {
  return Array.from({ length: Math.floor(points.length / size) }, (_, i) => {
    const part = points.slice(i * size, (i + 1) * size);
    const bits = part.reduce((sum, point) => sum + point.bits, 0) / size;
    return { cell, characters: part.at(-1)!.characters / 1e6, bits };
  });
}

/** Places of labels at heights: the lowest first, at least `gap` apart. */
function apart<T extends { readonly bits: number }>(list: readonly T[], gap: number) {
  let below = -Infinity;
  return list
    .toSorted((a, b) => a.bits - b.bits)
    .map((each) => {
      below = Math.max(each.bits, below + gap);
      return { ...each, label: below };
    });
}

/** Losses of all cells against the characters read, and the baselines as lines across. */
export function curves(all: readonly Curve[], baselines: Readonly<Record<string, number>>): string {
  const size = Math.max(1, Math.floor(all[0]!.points.length / 60));
  const lines = all.flatMap((curve) => means(curve, size));
  const last = Math.max(...lines.map(({ characters }) => characters));
  const heights = all.map(({ cell, heldOut }) => {
    return { cell, bits: heldOut, text: `${cell} ${heldOut.toFixed(3)}` };
  });
  const ends = apart(heights, 0.06);
  const named = Object.entries(baselines).map(([name, bits]) => {
    return { bits, text: `${name} ${bits.toFixed(3)}` };
  });
  const rules = apart(named, 0.06);
  const lowest = Math.min(...lines.map(({ bits }) => bits), ...rules.map(({ bits }) => bits));
  return figure({
    height: 380,
    marginRight: 110,
    x: { label: "millions of characters read", domain: [0, last] },
    y: { label: "bits per character", domain: [lowest - 0.1, lowest + 1.4], grid: true },
    color: { domain: all.map(({ cell }) => cell), scheme: "dark2" },
    marks: [
      Plot.ruleY(rules, { y: "bits", stroke: "#78716c", strokeDasharray: "4 3", clip: true }),
      Plot.text(rules, {
        ...{ y: "label", x: 0, text: "text", textAnchor: "start" },
        ...{ dx: 6, dy: -6, fill: "#57534e" },
      }),
      Plot.line(lines, {
        x: "characters",
        y: "bits",
        stroke: "cell",
        strokeWidth: 1.5,
        clip: true,
      }),
      Plot.dot(ends, { x: last, y: "bits", fill: "cell", r: 4 }),
      Plot.text(ends, {
        ...{ y: "label", x: last, text: "text", textAnchor: "start", dx: 8, fill: "cell" },
      }),
    ],
  });
}
