import { effectiveMemory } from "@chronograd/rnn/flow";
import { drawMemory } from "../flow/memory.ts";
import type { Instrument } from "./instrument.ts";

/** How many steps are looked at: units that depend on each other take one push each. */
const most = 50;

/** How long units remember by themselves. */
export const memory: Instrument = ({ model, params, steps }) => {
  const data = effectiveMemory(model, params, steps.slice(0, most), { rng: null });
  const said = data.leaves.map(({ path, timescale }) => {
    const known = timescale.map((time) => time ?? Infinity).sort((a, b) => a - b);
    const median = known[known.length >> 1]!;
    const most = known.at(-1)!;
    const text = (time: number) => (time === Infinity ? "without end" : time.toPrecision(3));
    return `${path || "state"} ${text(median)} in the median, ${text(most)} at most`;
  });
  return {
    data,
    lines: [`time steps that units remember by themselves: ${said.join("; ")}`],
    sections: [
      {
        heading: "Effective memory",
        note: "In how many steps the content of each unit falls to 1/e, by the derivative of the unit by itself in one step; of the memory c of an LSTM this is its forget gate.",
        html: drawMemory(data),
      },
    ],
  };
};
