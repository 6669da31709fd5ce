import { lyapunovSpectrum, verdict } from "@chronograd/rnn/flow";
import { drawLyapunovSpectrum } from "../flow/lyapunovSpectrum.ts";
import type { Instrument } from "./instrument.ts";

/** Whether gradients vanish, stay or explode in the long run. */
export const lyapunov: Instrument = ({ model, params, steps, k2 }) => {
  const spectrum = lyapunovSpectrum(model, params, steps, { rng: null });
  const found = verdict(spectrum, { horizon: k2 });
  return {
    data: { ...spectrum, ...found },
    lines: [found.text],
    sections: [
      {
        heading: "Lyapunov exponents",
        note: "How fast directions of the state grow or shrink per step, as natural logarithms, up to each step of the trajectory; the largest dark. Below 0 gradients vanish, above 0 they explode.",
        html: drawLyapunovSpectrum(spectrum),
      },
    ],
  };
};
