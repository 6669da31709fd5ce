import type { StateGradients } from "@chronograd/rnn/flow";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { tick } from "../report/tick.ts";
import { blue, grey, ordered } from "./colours.ts";
import { named } from "./named.ts";

/**
 * Norms of the gradient of all losses by the state of each step, as SVG: of the whole state and of
 * each of its leaves.
 *
 * @example
 * ```ts
 * import { ones, type Tensor, zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams } from "@chronograd/rnn";
 * import { stateGradients } from "@chronograd/rnn/flow";
 * import { drawStateGradients } from "chronograd/flow";
 *
 * const cell = elman({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const stream = { inputs: ones([20, 1, 1]), targets: zeros([20, 1, 3]) };
 * const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
 * const svg = drawStateGradients(stateGradients(cell, params, stream, { loss }));
 * svg.startsWith("<svg"); // => true
 * ```
 */
export function drawStateGradients({ norms, byLeaf }: StateGradients): string {
  const leaves = Object.entries(byLeaf);
  const [first] = leaves;
  // One leaf is the whole state.
  const whole = leaves.length === 1 ? `${first![0] || "state"}` : "whole state";
  const others = leaves.length === 1 ? [] : leaves;
  const curves = [
    { name: whole, values: norms, colour: leaves.length === 1 ? blue : grey },
    ...others.map(([name, values], i) => ({
      ...{ name, values },
      colour: ordered[Math.floor((i * ordered.length) / Math.max(others.length, 2))]!,
    })),
  ];
  return figure({
    marginTop: 28,
    x: { label: "time step t" },
    y: { label: "|dL / dh(t)|", type: "log", grid: true, tickFormat: tick },
    marks: [
      ...curves.map(({ name, values, colour }) =>
        Plot.lineY(
          values.map((value, t) => ({ t, value })).filter(({ value }) => value > 0),
          {
            ...{ x: "t", y: "value", stroke: colour },
            strokeWidth: name === whole && others.length > 0 ? 1 : 2,
          },
        ),
      ),
      ...named(curves.map(({ name, colour }) => [name, colour])),
    ],
  });
}
