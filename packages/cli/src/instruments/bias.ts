import { truncationBias } from "@chronograd/rnn/flow";
import { drawTruncationBias } from "../flow/truncationBias.ts";
import type { Instrument } from "./instrument.ts";

/** How many windows are measured beside that of the run. */
const count = 8;

/** What truncation does to the gradient. */
export const bias: Instrument = ({ model, params, steps, loss, k1, k2, tolerance }) => {
  const all = windowsUpTo(steps.length, Math.min(k1, steps.length));
  const k2s = [...new Set([...all, Math.max(k1, k2)])].sort((a, b) => a - b);
  const data = truncationBias(model, params, steps, {
    ...{ loss: loss as never, rng: null, k1: Math.min(k1, steps.length), k2: k2s },
  });
  const own = data.biases.find((each) => each.k2 === k2)!.all;
  const of = ({ value }: typeof own.cosine) => (value === null ? "none" : value.toPrecision(3));
  const numbers = `cosine ${of(own.cosine)}, relative error ${of(own.relativeError)}, ratio of norms ${of(own.normRatio)}`;
  return {
    data,
    lines: [
      k2 >= steps.length
        ? `truncation bias of k1 = ${k1}, k2 = ${k2}: none on ${steps.length} time steps, which are no more than k2`
        : `truncation bias of k1 = ${k1}, k2 = ${k2}: ${numbers}`,
    ],
    sections: [
      {
        heading: "Truncation bias",
        note: `How far the truncated gradient is from the full one, for windows that move by k1 = ${data.k1} steps and go back k2. The dashed line is the tolerance, the dotted one this run.`,
        html: drawTruncationBias(data, { tolerance, k2 }),
      },
    ],
  };
};

/** Lengths of windows from one to another in equal ratios. */
function windowsUpTo(most: number, least: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    Math.round(least * (most / least) ** (i / (count - 1))),
  );
}
