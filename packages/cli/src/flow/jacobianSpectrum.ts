import type { JacobianSpectrum } from "@chronograd/rnn/flow";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { tick } from "../report/tick.ts";
import { blue, grey, orange, paleBlue } from "./colours.ts";
import { named } from "./named.ts";

/**
 * The Jacobian of each step along a trajectory, as SVG: its singular values, the largest of which
 * is its norm, and its spectral radius.
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams } from "@chronograd/rnn";
 * import { jacobianSpectrum } from "@chronograd/rnn/flow";
 * import { drawJacobianSpectrum } from "chronograd/flow";
 *
 * const cell = elman({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const stream = { inputs: ones([20, 1, 1]) };
 * const svg = drawJacobianSpectrum(jacobianSpectrum(cell, params, stream, { count: 2 }));
 * svg.startsWith("<svg"); // => true
 * ```
 */
export function drawJacobianSpectrum({ steps }: JacobianSpectrum): string {
  const values = steps.flatMap(({ t, singularValues }) =>
    singularValues.slice(1).map((value, k) => ({ t, value, k })),
  );
  const of = (pick: (step: (typeof steps)[number]) => number) =>
    steps.map((step) => ({ t: step.t, value: pick(step) }));
  const curves = {
    "spectral norm": { points: of(({ norm }) => norm), colour: blue },
    "spectral radius": { points: of(({ radius }) => radius), colour: orange },
    "further singular values": { points: values, colour: paleBlue },
  };
  const isDrawn = ({ value }: { value: number }) => Number.isFinite(value) && value > 0;
  return figure({
    marginTop: 28,
    x: { label: "time step t" },
    y: { label: "of dh(t) / dh(t − 1)", type: "log", grid: true, tickFormat: tick },
    marks: [
      Plot.ruleY([1], { stroke: grey, strokeDasharray: "2 3" }),
      Plot.lineY(values.filter(isDrawn), {
        ...{ x: "t", y: "value", z: "k" },
        ...{ stroke: paleBlue, strokeWidth: 1 },
      }),
      ...[curves["spectral norm"], curves["spectral radius"]].map(({ points, colour }) =>
        Plot.lineY(points.filter(isDrawn), { x: "t", y: "value", stroke: colour, strokeWidth: 2 }),
      ),
      ...named(Object.entries(curves).map(([name, { colour }]) => [name, colour])),
    ],
  });
}
