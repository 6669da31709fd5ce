import { truncationBias } from "@chronograd/rnn/flow";
import { drawTruncationBias } from "../flow/truncationBias.ts";
import type { Instrument } from "./instrument.ts";

/** How many windows are measured, of those that overlap and of those that do not. */
const count = 5;

/** What truncation does to the gradient. */
export const bias: Instrument = ({ model, params, steps, loss, k1, k2, tolerance }) => {
  const options = { loss: loss as never, rng: null };
  const all = steps.length;
  const least = Math.min(k1, all);
  const k2s = [...new Set([...windows(least, all), Math.max(least, k2)])].sort((a, b) => a - b);
  const own = truncationBias(model, params, steps, { ...options, k1: least, k2: k2s });
  const apart = windows(Math.min(2, all), Math.ceil(all / 2)).map((each) =>
    truncationBias(model, params, steps, { ...options, k1: each, k2: each }),
  );
  const { cosine, relativeError, normRatio } = own.biases.find((each) => each.k2 === k2)!.all;
  const of = ({ value }: typeof cosine) => (value === null ? "none" : value.toPrecision(3));
  const numbers = `cosine ${of(cosine)}, relative error ${of(relativeError)}, ratio of norms ${of(normRatio)}`;
  const curves = {
    "windows that do not overlap, k1 = k2": { biases: apart.flatMap(({ biases }) => biases) },
    [`k1 = ${least}`]: own,
  };
  return {
    data: { own, apart },
    lines: [
      k2 >= all
        ? `truncation bias of k1 = ${k1}, k2 = ${k2}: none on ${all} time steps, which are no more than k2`
        : `truncation bias of k1 = ${k1}, k2 = ${k2}: ${numbers}`,
    ],
    sections: [
      {
        heading: "Truncation bias",
        note: "How far the gradient of windows that go back k2 steps is from the full one, relative to its norm. The dashed line is the tolerance, the dotted one this run.",
        html: drawTruncationBias(curves, { tolerance, k2 }),
      },
    ],
  };
};

/** Lengths from one to another in equal ratios. */
function windows(least: number, most: number): number[] {
  const all = Array.from({ length: count }, (_, i) =>
    Math.round(least * (most / least) ** (i / (count - 1))),
  );
  return [...new Set(all)];
}
