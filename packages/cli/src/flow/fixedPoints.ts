import type { FixedPoint, FixedPoints } from "@chronograd/rnn/flow";
import * as Plot from "@observablehq/plot";
import { figure } from "../report/figure.ts";
import { beside } from "./beside.ts";
import { blue, grey, orange, paleBlue } from "./colours.ts";
import { named } from "./named.ts";
import { principal } from "./principal.ts";

/** Blue attracts, orange does not. */
const colourOf = ({ isStable }: { readonly isStable: boolean }) => (isStable ? blue : orange);

/**
 * Fixed and slow points of a model, as SVG: at the left where they are, in the two principal
 * components of the states that the model visits, and at the right the eigenvalues of their
 * Jacobians with the unit circle.
 *
 * @param visited states that the model visits, one after the other
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams } from "@chronograd/rnn";
 * import { fixedPoints } from "@chronograd/rnn/flow";
 * import { drawFixedPoints } from "chronograd/flow";
 *
 * const cell = elman({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const visited = [[0, 0, 0], [0.5, 0, 0.1], [0.4, 0.2, 0]];
 * const found = fixedPoints(cell, params, { input: tensor([[1]]), starts: { h: tensor(visited) } });
 * drawFixedPoints(found, visited).startsWith("<svg"); // => true
 * ```
 */
export function drawFixedPoints(
  { points }: FixedPoints,
  visited: readonly (readonly number[])[],
): string {
  return beside([states(points, visited), eigenvalues(points)]);
}

function states(points: readonly FixedPoint[], visited: readonly (readonly number[])[]): string {
  const { project, shares } = principal(visited);
  const place = (state: readonly number[]) => {
    const [x, y] = project(state);
    return { x, y };
  };
  const path = visited.map(place);
  const found = points.map((point) => ({ ...point, ...place(point.state) }));
  const percent = (share: number) => `${Math.round(100 * share)} % of the variance`;
  return figure({
    ...{ width: 490, height: 360, marginTop: 28, marginRight: 24 },
    x: { label: `first principal component, ${percent(shares[0])}` },
    y: { label: `second, ${percent(shares[1])}` },
    marks: [
      Plot.line(path, { x: "x", y: "y", stroke: paleBlue, strokeOpacity: 0.6 }),
      Plot.dot(found, {
        ...{ x: "x", y: "y", r: 5, stroke: colourOf, strokeWidth: 2 },
        fill: (point: FixedPoint) => (point.kind === "fixed" ? colourOf(point) : "white"),
      }),
    ],
  });
}

function eigenvalues(points: readonly FixedPoint[]): string {
  const all = points.flatMap(({ eigenvalues: values, isStable }) =>
    values.map((value) => ({ re: value[0], im: value[1], isStable })),
  );
  const most = Math.max(1.1, ...all.flatMap(({ re, im }) => [Math.abs(re), Math.abs(im)])) * 1.05;
  const circle = Array.from({ length: 181 }, (_, i) => {
    const angle = (i * Math.PI) / 90;
    return { re: Math.cos(angle), im: Math.sin(angle) };
  });
  return figure({
    ...{ width: 370, height: 360, marginTop: 28, marginRight: 24 },
    x: { domain: [-most, most], label: "real part of the eigenvalues" },
    y: { domain: [-most, most], label: "imaginary part" },
    marks: [
      Plot.line(circle, { x: "re", y: "im", stroke: grey, strokeDasharray: "2 3" }),
      Plot.dot(all, { x: "re", y: "im", stroke: colourOf, r: 2 }),
      ...named([
        ["stable", blue],
        ["unstable", orange],
      ]),
    ],
  });
}
