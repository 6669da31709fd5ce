import { deadUnits, gateSaturation } from "@chronograd/rnn/flow";
import { drawDeadUnits } from "../flow/deadUnits.ts";
import { drawGates } from "../flow/gates.ts";
import type { Instrument } from "./instrument.ts";

/** What gates and units do over the stretch. */
export const gates: Instrument = ({ model, params, steps }) => {
  const saturation = gateSaturation(model, params, steps, { rng: null });
  const units = deadUnits(model, params, steps, { rng: null });
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const dead = units.leaves
    .filter(({ constant }) => constant.length > 0)
    .map(({ of, path, constant, units: all }) => {
      const name = of === "state" ? `state ${path}` : `output ${path}`;
      return `${constant.length} of ${all} in ${name.trimEnd()}`;
    });
  const shares = saturation.gates.map(
    ({ name, low, high }) => `${name} ${percent(low)} low, ${percent(high)} high`,
  );
  return {
    data: { ...saturation, dead: units.leaves },
    lines: [
      `gates near their bounds: ${shares.length === 0 ? "the cell has none" : shares.join("; ")}`,
      `units that never change: ${dead.length === 0 ? "none" : dead.join(", ")}`,
    ],
    sections: [
      ...(shares.length === 0
        ? []
        : [
            {
              heading: "Gate saturation",
              note: "Each dot is a unit of a gate: how often it is near its lower bound (to the right) and near its upper bound (upwards), where little gradient flows through it.",
              html: drawGates(saturation),
            },
          ]),
      {
        heading: "Dead units",
        note: "Units of the state and of the output that have one value at all steps, and those whose values never pass 0.",
        html: drawDeadUnits(units),
      },
    ],
  };
};
