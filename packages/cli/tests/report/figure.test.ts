import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import * as Plot from "@observablehq/plot";
import { expect, test } from "vitest";
import { figure } from "../../src/report.ts";

const points = [
  { x: 1, kind: "a" },
  { x: 2, kind: "b" },
];

test.each([
  ["nothing else", {}],
  ["a legend of swatches", { color: { legend: true } }],
  ["a title", { title: "Two points" }],
])("a figure with %s is the drawing of its marks", (_what, more) => {
  const marks = [Plot.dot(points, { x: "x", fill: "kind" })];
  const svg = figure({ marks, ...more });
  expect(svg.startsWith("<svg")).toBe(true);
  expect(svg.match(/<circle/g)).toHaveLength(2);
});

test("every option that Plot documents is known, and a misspelt one is refused", () => {
  const declared = ["plot", "scales", "inset"].flatMap((name) => {
    const path = `${dirname(fileURLToPath(import.meta.resolve("@observablehq/plot")))}/${name}.d.ts`;
    const [, body = ""] =
      /interface (?:PlotOptions|ScaleDefaults|InsetOptions)\b[^{]*\{([\s\S]*?)\n\}/.exec(
        readFileSync(path, "utf8"),
      )!;
    return [...body.matchAll(/^ {2}(\w+)\?:/gm)].map(([, option]) => option!);
  });
  expect(declared.length).toBeGreaterThan(40);
  for (const option of declared) {
    if (option !== "document") figure({ marks: [], [option]: undefined });
  }
  expect(() => figure({ mark: [] } as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: figure: there is no option "mark", did you mean "marks"? It takes marks, width, height, aspectRatio, style, className, title, subtitle, caption, figure, ariaLabel, ariaDescription, document, projection, facet, margin, marginTop, marginRight, marginBottom, marginLeft, inset, insetTop, insetRight, insetBottom, insetLeft, x, y, fx, fy, r, color, opacity, symbol, length, clip, clamp, nice, zero, round, align, padding, axis, grid, label, labelArrow]`,
  );
});
