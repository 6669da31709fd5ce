import type { DeadUnits } from "@chronograd/rnn/flow";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { blue, grey, orange } from "./colours.ts";
import { named } from "./named.ts";

/** What a unit does, with the colour of it. */
const kinds = { "never change": orange, "never pass 0": "#a8a29e", others: blue } as const;

/**
 * How many units of each leaf of the state and of the output never change, and never pass zero, as
 * SVG: a bar for each leaf.
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams } from "@chronograd/rnn";
 * import { deadUnits } from "@chronograd/rnn/flow";
 * import { drawDeadUnits } from "chronograd/flow";
 *
 * const cell = gru({ input: 1, hidden: 3 });
 * const units = deadUnits(cell, initialParams(cell, rng(1)), { inputs: ones([20, 1, 1]) });
 * drawDeadUnits(units).startsWith("<svg"); // => true
 * ```
 */
export function drawDeadUnits({ leaves }: Pick<DeadUnits, "leaves">): string {
  const parts = leaves.flatMap(({ of, path, units, constant, oneSided }) => {
    const leaf = `${of} ${path}`.trimEnd();
    const rest = units - constant.length - oneSided.length;
    const counts = [constant.length, oneSided.length, rest];
    return Object.keys(kinds).map((kind, i) => ({ leaf, kind, units: counts[i]! }));
  });
  return figure({
    ...{ height: 80 + 34 * leaves.length, marginLeft: 110, marginTop: 30 },
    x: { label: "units", grid: true },
    y: { label: null, domain: [...new Set(parts.map(({ leaf }) => leaf))] },
    color: { domain: Object.keys(kinds), range: Object.values(kinds) },
    marks: [
      Plot.barX(parts, { x: "units", y: "leaf", fill: "kind", order: Object.keys(kinds) }),
      Plot.ruleX([0], { stroke: grey }),
      ...named(Object.entries(kinds)),
    ],
  });
}
