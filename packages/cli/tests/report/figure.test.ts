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
