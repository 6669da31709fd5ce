import { ctcAlignment } from "@chronograd/rnn/decode";
import * as Plot from "@observablehq/plot";
import { figure, png } from "chronograd/report";
import { bands, normalisedFrames, stack, stepSeconds } from "./features.ts";
import { blank, type Network, type Params, stepScores } from "./model.ts";
import { exampleOf, type Utterance } from "./utterances.ts";

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
  const lines = p.flatMap((step, t) =>
    step.map((probability, k) => ({ seconds: (t + 0.5) * stepSeconds, probability, k })),
  );
  const starts = alignment!.path.flatMap((k, t, path) =>
    k !== blank && k !== path[t - 1]
      ? [{ seconds: (t + 0.5) * stepSeconds, digit: String(k) }]
      : [],
  );
  const seconds = p.length * stepSeconds;
  return figure({
    ...{ height: 340, marginTop: 20, marginBottom: 35, marginLeft: 56, marginRight: 20 },
    x: { label: "seconds", domain: [0, seconds] },
    // The probabilities lie between 0 and 1, the picture of the sound between 1.2 and 2.2.
    y: { label: "probability", ticks: [0, 0.5, 1], domain: [0, 2.2] },
    color: { type: "categorical", domain: Array.from({ length: blank }, (_, k) => k) },
    marks: [
      Plot.image([spectrogram(spoken.samples, p.length * stack)], {
        ...{ x: seconds / 2, y: 1.7, width: 860 - 56 - 20, height: (340 - 20 - 35) / 2.2 },
        src: (bytes: Uint8Array) =>
          `data:image/png;base64,${Buffer.from(bytes).toString("base64")}`,
        preserveAspectRatio: "none",
      }),
      Plot.lineY(
        lines.filter(({ k }) => k === blank),
        { x: "seconds", y: "probability", stroke: "#a8a29e", strokeDasharray: "3 3" },
      ),
      Plot.lineY(
        lines.filter(({ k }) => k !== blank),
        { x: "seconds", y: "probability", z: "k", stroke: "k", strokeWidth: 2 },
      ),
      Plot.text(starts, {
        ...{ x: "seconds", y: 1.1, text: "digit", fontSize: 15, fontWeight: "bold" },
      }),
    ],
  });
}

/**
 * So many frames as a picture: high bands above, loud ones dark, to two deviations from the mean.
 */
function spectrogram(samples: Float32Array, width: number): Uint8Array {
  const frames = normalisedFrames(samples);
  const greys = new Uint8Array(width * bands);
  for (let row = 0; row < bands; row++) {
    for (let t = 0; t < width; t++) {
      const energy = frames[t]?.[bands - 1 - row] ?? 0;
      greys[row * width + t] = 255 * (1 - Math.min(1, Math.max(0, (energy + 2) / 4)));
    }
  }
  return png(greys, width);
}
