import type { EffectiveMemory } from "@chronograd/rnn/flow";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { tick } from "../report/tick.ts";
import { ordered } from "./colours.ts";
import { named } from "./named.ts";

/**
 * How long the units of each leaf of a state remember, in descending order, as SVG. Units that
 * forget nothing or everything are not on its logarithmic axis.
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, lstm } from "@chronograd/rnn";
 * import { effectiveMemory } from "@chronograd/rnn/flow";
 * import { drawMemory } from "chronograd/flow";
 *
 * const cell = lstm({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const stream = { inputs: ones([20, 1, 1]) };
 * const svg = drawMemory(effectiveMemory(cell, params, stream));
 * svg.startsWith("<svg"); // => true
 * ```
 */
export function drawMemory({ leaves }: Pick<EffectiveMemory, "leaves">): string {
  const curves = leaves.map(({ path, timescale }, i) => ({
    name: path || "state",
    colour: ordered[Math.floor((i * ordered.length) / Math.max(leaves.length, 2))]!,
    points: timescale
      .filter((time) => time !== null && time > 0 && Number.isFinite(time))
      .sort((a, b) => b! - a!)
      .map((time, rank) => ({ time, rank: rank + 1 })),
  }));
  return figure({
    marginTop: 28,
    x: { label: "units, those that remember longest first" },
    y: { label: "time steps until 1 / e is left", type: "log", grid: true, tickFormat: tick },
    marks: [
      ...curves.map(({ points, colour }) =>
        Plot.lineY(points, { x: "rank", y: "time", stroke: colour, strokeWidth: 2 }),
      ),
      ...named(curves.map(({ name, colour }) => [name, colour])),
    ],
  });
}
