import { chooseWindow } from "@chronograd/rnn/flow";
import { drawTruncationBias } from "../flow/truncationBias.ts";
import type { Instrument, Subject } from "./instrument.ts";

/** The largest k1 for which six stretches follow the lags, and two are held out. */
function fitting({ steps, k1 }: Subject): number {
  const until = 0.75 * steps.length;
  const most = Math.floor((until - until / 4) / 7);
  return Math.max(1, Math.min(k1, most));
}

/** Which k2 is enough. */
export const window: Instrument = (subject) => {
  const { model, params, steps, loss, k1, k2: own, tolerance } = subject;
  const width = fitting(subject);
  const data = chooseWindow(model, params, steps, {
    ...{ loss: loss as never, rng: null, tolerance, k1: width },
  });
  const { k2, refusal, heldOut, measured } = data;
  const part = `a relative bias below ${tolerance}`;
  const said = (value: number | null | undefined) =>
    value == null ? "" : `; on steps held out it is ${value.toPrecision(2)}`;
  const advice =
    k2 === null
      ? `advice on k2: none for ${part}, since ${refusal}`
      : `advice on k2: ${k2} with k1 = ${width} keeps ${part}${said(heldOut?.value)}`;
  // A window of k1 steps reaches back k2 - k1 + 1 steps from its first loss.
  const moved =
    k2 === null || width === k1
      ? ""
      : `; with k1 = ${k1}, k2 = ${k2 + k1 - width} reaches back as far from every loss`;
  return {
    data: { ...data, advised: k2 === null ? null : k2 + k1 - width },
    lines: [`${advice}${moved}`],
    sections:
      measured.length === 0
        ? []
        : [
            {
              heading: "Which window is enough",
              note: `Relative bias of the gradient for windows that move by k1 = ${width}, with its 95 % interval over six stretches. The dashed line is the tolerance, the dotted one ${k2 === null ? "the k2 of this run" : "the k2 that is advised"}.`,
              html: drawTruncationBias(
                { [`k1 = ${width}`]: measured },
                { tolerance, k2: k2 ?? own },
              ),
            },
          ],
  };
};
