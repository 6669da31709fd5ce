import { stateGradients } from "@chronograd/rnn/flow";
import { drawStateGradients } from "../flow/stateGradients.ts";
import type { Instrument } from "./instrument.ts";

/** The gradient that arrives at the state of each step. */
export const gradients: Instrument = ({ model, params, steps, loss }) => {
  const data = stateGradients(model, params, steps, {
    ...{ loss: loss as never, rng: null, reduction: "mean" },
  });
  return {
    data,
    lines: [],
    sections: [
      {
        heading: "Gradients by time step",
        note: "Norm of the gradient of the mean loss by the state after each step: what arrives there from all later losses.",
        html: drawStateGradients(data),
      },
    ],
  };
};
