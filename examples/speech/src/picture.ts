import { ctcAlignment } from "@chronograd/rnn/decode";
import * as Plot from "@observablehq/plot";
import { figure } from "chronograd/report";
import type { Utterance } from "./connected.ts";
import { exampleOf } from "./connected.ts";
import { bands, normalisedFrames, stack, stepSeconds } from "./features.ts";
import { blank, type Network, type Params, stepScores } from "./model.ts";

/**
 * An utterance above, band by band, and below it the probabilities of digits and blank at each
 * step, with the digits where the most probable alignment has them.
 */
export function alignmentFigure(net: Network, params: Params, spoken: Utterance): string {
  const { scores } = stepScores(net, params, [exampleOf(spoken)], null);
  const p = scores
    .softmax(-1)
    .reshape([-1, blank + 1])
    .toArray() as number[][];
  const [alignment] = ctcAlignment(scores, [spoken.digits], { blank });
  const frames = normalisedFrames(spoken.samples);
  const cells = p.flatMap((_, t) =>
    Array.from({ length: bands }, (_, band) => {
      const own = frames.slice(t * stack, (t + 1) * stack);
      const energy = own.reduce((sum, frame) => sum + frame[band]!, 0) / own.length;
      return { t, band, energy };
    }),
  );
  const lines = p.flatMap((step, t) =>
    step.map((probability, k) => ({ seconds: (t + 0.5) * stepSeconds, probability, k })),
  );
  const starts = alignment!.path.flatMap((k, t, path) =>
    k !== blank && k !== path[t - 1]
      ? [{ seconds: (t + 0.5) * stepSeconds, digit: String(k) }]
      : [],
  );
  // The probabilities lie between 0 and 1, the bands between 1.15 and 2.15.
  const height = (band: number) => 1.15 + band / bands;
  return figure({
    height: 340,
    x: { label: "seconds" },
    y: { label: "probability", ticks: [0, 0.5, 1], domain: [0, 2.15] },
    color: {
      scheme: "Tableau10" as never,
      domain: Array.from({ length: 10 }, (_, k) => k),
      type: "categorical",
    },
    marks: [
      Plot.rect(cells, {
        x1: ({ t }) => Number((t * stepSeconds).toFixed(2)),
        x2: ({ t }) => Number(((t + 1) * stepSeconds).toFixed(2)),
        y1: ({ band }) => height(band),
        y2: ({ band }) => height(band + 1),
        fill: ({ energy }) => grey(energy),
        insetRight: -0.3,
        insetTop: -0.3,
      }),
      Plot.lineY(
        lines.filter(({ k }) => k === blank),
        { x: "seconds", y: "probability", stroke: "#a8a29e" },
      ),
      Plot.lineY(
        lines.filter(({ k }) => k !== blank),
        { x: "seconds", y: "probability", z: "k", stroke: "k", strokeWidth: 2 },
      ),
      Plot.text(starts, { x: "seconds", y: 1.07, text: "digit", fontSize: 15, fontWeight: "bold" }),
    ],
  });
}

/** From white at the quietest to black, two deviations above and below the mean. */
function grey(energy: number): string {
  const level = Math.round(15 * (1 - Math.min(1, Math.max(0, (energy + 2) / 4))));
  return `#${level.toString(16).repeat(3)}`;
}
