import * as Plot from "@observablehq/plot";
import { table } from "chronograd/report";
import type { Reach } from "./pixels.ts";

/** An image as it was read: its class, and after each row the probabilities of the ten classes. */
export interface ReadImage {
  readonly image: Float32Array;
  readonly side: number;
  readonly probabilities: readonly (readonly number[])[];
}

/** Where the probabilities stand beside an image, and how wide one of them is. */
const [left, width] = [31, 2.6];

/** Images, and beside each row the probabilities of the classes after it. */
export function readings(images: readonly ReadImage[]): Plot.PlotOptions {
  const pixels = images.flatMap(({ image, side }, number) =>
    [...image].flatMap((ink, i) => {
      const [row, column] = [Math.floor(i / side), i % side];
      return ink < 0.1 ? [] : [{ number, row, x1: column, x2: column + 1, ink }];
    }),
  );
  const classes = images.flatMap(({ probabilities }, number) =>
    probabilities.flatMap((ofRow, row) =>
      ofRow.flatMap((p, digit) => {
        const x1 = left + width * digit;
        return p < 0.03 ? [] : [{ number, row, x1, x2: x1 + width, p }];
      }),
    ),
  );
  const labels = images.flatMap((_, number) =>
    Array.from({ length: 10 }, (_, digit) => ({ number, digit, x: left + width * (digit + 0.5) })),
  );
  const area = {
    x1: "x1",
    x2: "x2",
    fx: "number",
    y1: "row",
    y2: (d: { row: number }) => d.row + 1,
  };
  return {
    height: 240,
    marginLeft: 40,
    x: { axis: null, domain: [0, left + 10 * width] },
    y: { reverse: true, label: "rows read", ticks: 5 },
    fx: { axis: null, padding: 0.08 },
    marks: [
      Plot.rect(pixels, { ...area, fill: "#1c1917", fillOpacity: "ink" }),
      Plot.rect(classes, { ...area, fill: "#1d4ed8", fillOpacity: "p" }),
      Plot.text(labels, { x: "x", y: 28, fx: "number", dy: 9, text: "digit", fontSize: 9 }),
    ],
  };
}

/** Accuracy by how many steps back the loss reaches. */
export function accuracies(reaches: readonly Reach[]): Plot.PlotOptions {
  return {
    x: { type: "log", label: "k2, steps", ticks: reaches.map(({ k2 }) => k2), tickFormat: "d" },
    y: { label: "held-out accuracy", domain: [0, 1], tickFormat: "%", grid: true },
    marks: [
      Plot.line(reaches, { x: "k2", y: "accuracy", stroke: "#1d4ed8", marker: "circle" }),
      Plot.text(reaches, {
        x: "k2",
        y: "accuracy",
        dy: -12,
        text: ({ accuracy }: Reach) => `${(100 * accuracy).toFixed(1)} %`,
      }),
    ],
  };
}

/** The same as a table, in HTML. */
export function tableOf(reaches: readonly Reach[]): string {
  return table(
    ["k2", "loss of the last epoch", "held out", "seconds"],
    reaches.map(({ k2, loss, accuracy, seconds }) => [
      `${k2}`,
      loss.toFixed(3),
      `${(100 * accuracy).toFixed(1)} %`,
      seconds.toFixed(0),
    ]),
  );
}
