import * as Plot from "@observablehq/plot";
import { figure, pianoRoll } from "chronograd/report";
import type { Chorale } from "./chorales.ts";
import type { Epoch } from "./train.ts";

/** A soprano and the voices below it, as an SVG. */
export function harmony(
  chorale: Chorale,
  soprano: readonly (number | undefined)[],
  voices: string,
): string {
  const below = chorale.map((chord, t) => chord.filter((pitch) => pitch !== soprano[t]));
  const melody = soprano.map((pitch) => (pitch === undefined ? [] : [pitch]));
  return figure(pianoRoll({ [voices]: below, "given soprano": melody }));
}

/** The losses of training and validation by epoch, as an SVG. */
export function curves(epochs: readonly Epoch[]): string {
  const points = epochs.flatMap(({ epoch, train, valid }) => [
    { epoch, set: "training", nats: train },
    { epoch, set: "validation", nats: valid },
  ]);
  const place = { x: "epoch", y: "nats", z: "set" };
  return figure({
    marginRight: 70,
    y: { label: "nats per chord", grid: true },
    marks: [
      Plot.line(points, { ...place, stroke: "set" }),
      Plot.text(points, Plot.selectLast({ ...place, text: "set", textAnchor: "start", dx: 5 })),
    ],
  });
}
