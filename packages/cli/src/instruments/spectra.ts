import { initialState } from "@chronograd/rnn";
import { jacobianSpectrum } from "@chronograd/rnn/flow";
import { drawJacobianSpectrum } from "../flow/jacobianSpectrum.ts";
import type { Instrument } from "./instrument.ts";
import { rowOf } from "./states.ts";

/** How many steps are looked at, and how many singular values. */
const [most, count] = [25, 4] as const;

/** The Jacobians of steps along the trajectory. */
export const spectra: Instrument = ({ model, params, steps }) => {
  const every = Math.ceil(steps.length / most);
  const size = rowOf(initialState(model, 1), 0).length;
  const data = jacobianSpectrum(model, params, steps, {
    ...{ rng: null, every, count: Math.min(count, size), tolerance: 1e-3 },
  });
  const mean = (of: (step: (typeof data.steps)[number]) => number) =>
    data.steps.reduce((sum, step) => sum + of(step), 0) / data.steps.length;
  return {
    data,
    lines: [
      `Jacobian of a step: spectral norm ${mean(({ norm }) => norm).toPrecision(3)}, spectral radius ${mean(({ radius }) => radius).toPrecision(3)} on average`,
    ],
    sections: [
      {
        heading: "Jacobians along the trajectory",
        note: "How much a step can make a gradient grow at most (norm), and what repeating it would do (radius), averaged over the rows. The dotted line is 1.",
        html: drawJacobianSpectrum(data),
      },
    ],
  };
};
