import type { LyapunovSpectrum } from "@chronograd/rnn/flow";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { blue, grey, paleBlue } from "./colours.ts";

/**
 * The Lyapunov exponents as they converge along the trajectory, as SVG: the largest dark, and at
 * the right each with its standard error.
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams } from "@chronograd/rnn";
 * import { lyapunovSpectrum } from "@chronograd/rnn/flow";
 * import { drawLyapunovSpectrum } from "chronograd/flow";
 *
 * const cell = elman({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const stream = { inputs: ones([20, 1, 1]) };
 * const svg = drawLyapunovSpectrum(lyapunovSpectrum(cell, params, stream));
 * svg.startsWith("<svg"); // => true
 * ```
 */
export function drawLyapunovSpectrum({ running, exponents, errors }: LyapunovSpectrum): string {
  const points = running.flatMap(({ t, exponents: at }) =>
    at.map((value, k) => ({ t, value, k })).filter(({ value }) => Number.isFinite(value)),
  );
  const last = running.at(-1)?.t ?? 1;
  const first = running[0]?.t ?? 0;
  const room = Math.max(1, 0.04 * (last - first));
  const ends = exponents.flatMap((value, k) =>
    Number.isFinite(value)
      ? [{ t: last + room, k, value, low: value - errors[k]!, high: value + errors[k]! }]
      : [],
  );
  const colour = ({ k }: { k: number }) => (k === 0 ? blue : paleBlue);
  return figure({
    marginRight: 72,
    x: { label: "time step t", domain: [first, last + 2 * room] },
    y: { label: "Lyapunov exponents per step", grid: true, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: grey }),
      Plot.lineY(points, {
        ...{ x: "t", y: "value", z: "k", stroke: colour },
        strokeWidth: 2,
      }),
      Plot.ruleX(ends, { x: "t", y1: "low", y2: "high", stroke: colour }),
      Plot.dot(ends, { x: "t", y: "value", fill: colour, r: 3 }),
      Plot.text(ends.slice(0, 1), {
        ...{ x: "t", y: "value", dx: 8, textAnchor: "start", fill: blue },
        text: ({ value }: { value: number }) => value.toPrecision(3).replace("-", "−"),
      }),
    ],
  });
}
