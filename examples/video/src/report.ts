import { scope, type Tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import * as Plot from "@observablehq/plot";
import { figure, film } from "chronograd/report";
import { type Bouncing, bouncing } from "./bouncing.ts";
import type { Digits } from "./digits.ts";

/** Sequences that the picture shows. */
const shown = 6;

/** What was, above what the model says: it sees the first frames, and goes on alone. */
export function picture(
  model: (frames: Tensor) => Tensor,
  images: Digits,
  seen: number,
  how: Bouncing,
): string {
  return scope(() => {
    const frames = bouncing(rng(1, "picture"), images, shown, how);
    const given = frames.slice([[0, seen]]);
    const videos = (parts: readonly Tensor[]) =>
      Array.from({ length: shown }, (_, row) =>
        parts.flatMap((part) =>
          Array.from({ length: part.shape[0]! }, (_, t) => part.slice([t, row]).toTypedArray()),
        ),
      );
    return film({
      rows: { truth: videos([frames]), ConvLSTM: videos([given, model(given)]) },
      width: how.size,
      captions: Array.from({ length: how.steps }, (_, t) =>
        t < seen ? `seen: frame ${t + 1} of ${seen}` : `said: ${t + 1 - seen} ahead`,
      ),
    });
  });
}

/** The error by how far ahead a frame is; without that of pixels that leave black and white. */
export function errorCurves(errors: Readonly<Record<string, readonly number[]>>): string {
  const points = Object.entries(errors)
    .filter(([name]) => name !== "linear")
    .flatMap(([name, each]) => each.map((error, k) => ({ name, ahead: k + 1, error })));
  const place = { x: "ahead", y: "error" };
  return figure({
    marginRight: 150,
    x: { label: "frames ahead", ticks: 10 },
    y: { label: "squared error of a frame", grid: true, zero: true },
    marks: [
      Plot.lineY(points, { ...place, stroke: "name" }),
      Plot.dot(points, { ...place, fill: "name" }),
      Plot.text(labelsOf(points), {
        ...place,
        text: "name",
        fill: "name",
        dx: 8,
        textAnchor: "start",
      }),
    ],
  });
}

/** An error so many frames ahead. */
interface Point {
  readonly name: string;
  readonly ahead: number;
  readonly error: number;
}

/** The names at the last points of the curves, each at least a line above the one below it. */
export function labelsOf(points: readonly Point[]): Point[] {
  const last = Math.max(...points.map(({ ahead }) => ahead));
  // A line of text is a sixteenth of the height.
  const line = Math.max(...points.map(({ error }) => error)) / 16;
  let least = 0;
  return points
    .filter(({ ahead }) => ahead === last)
    .sort((a, b) => a.error - b.error)
    .map((point) => {
      const error = Math.max(point.error, least);
      least = error + line;
      return { ...point, error };
    });
}
