import { lagMatrix } from "@chronograd/rnn/flow";
import { drawLagMatrix } from "../flow/lagMatrix.ts";
import { drawReach } from "../flow/reach.ts";
import type { Instrument } from "./instrument.ts";

/** How many lags are measured, at most. */
const most = 100;

/** How far each loss reaches back. */
export const lags: Instrument = ({ model, params, steps, loss }) => {
  const options = { loss: loss as never, lags: Math.min(most, steps.length >> 1), rng: null };
  const data = lagMatrix(model, params, steps as never, options);
  const { reach, decay } = data;
  const held = reach.map(({ share, steps: count }) =>
    count === null
      ? `${Math.round(100 * share)} % in more than ${data.lags}`
      : `${Math.round(100 * share)} % in ${count}`,
  );
  const rate =
    decay === null
      ? ""
      : `; from lag ${decay.from} on it falls by a factor of ${decay.rate.toPrecision(3)} per step`;
  return {
    data,
    lines: [`reach, in time steps that hold a share of the gradient: ${held.join(", ")}${rate}`],
    sections: [
      {
        heading: "Lag matrix",
        note: "How strongly the loss of a step (to the right) depends on the state some steps before it (upwards), averaged over the rows. White: no loss, or before the first step.",
        html: drawLagMatrix(data),
      },
      {
        heading: "Reach",
        note: "The mean over the steps at each lag, with its 95 % interval; dashed, the decay that was fitted. Dotted lines: how many steps hold a share of the mass.",
        html: drawReach(data),
      },
    ],
  };
};
