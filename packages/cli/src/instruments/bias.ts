import { type GradientBias, truncationBias } from "@chronograd/rnn/flow";
import { table } from "../report.ts";
import type { Instrument } from "./instrument.ts";

const short = ({ value }: { readonly value: number | null }) =>
  value === null ? "none" : value.toPrecision(3);

const numbers = ({ cosine, relativeError, normRatio }: GradientBias) => [
  // A cosine near 1 tells nothing in few digits.
  cosine.value?.toFixed(4) ?? "none",
  short(relativeError),
  short(normRatio),
];

/** What the truncation of a run does to its gradient. */
export const bias: Instrument = ({ model, params, steps, isAll, loss, k1, k2 }) => {
  const data = truncationBias(model, params, steps, {
    ...{ loss: loss as never, rng: null, k1: Math.min(k1, steps.length), k2 },
  });
  const { all, params: byParameter } = data.biases[0]!;
  const [cosine, error, ratio] = numbers(all);
  const head = ["parameter", "cosine", "relative error", "ratio of norms"];
  const rows = Object.entries(byParameter).map(([path, each]) => [path, ...numbers(each)]);
  const what = `truncation bias of k1 = ${k1}, k2 = ${k2}`;
  return {
    data,
    lines: [
      k2 >= steps.length
        ? `${what}: none on ${steps.length} time steps, which are no more than k2${isAll ? "" : "; --steps takes more"}`
        : `${what}: cosine ${cosine}, relative error ${error}, ratio of norms ${ratio}`,
    ],
    sections: [
      {
        heading: "Truncation bias of this run",
        note: `The gradient of windows with k1 = ${k1} and k2 = ${k2} beside the full one over the stretch.`,
        html: table(head, [["all", ...numbers(all)], ...rows]),
      },
    ],
  };
};
