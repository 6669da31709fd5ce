import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { principal } from "../../src/flow/principal.ts";
import * as pictures from "../../src/flow.ts";
import * as data from "./data.ts";

const drawn: Readonly<Record<string, () => string>> = {
  lagMatrix: () => pictures.drawLagMatrix(data.lags),
  reach: () => pictures.drawReach(data.lags),
  "reach without a decay": () =>
    pictures.drawReach({ ...data.lags, decay: null, interval: null, reach: [] }),
  stateGradients: () => pictures.drawStateGradients(data.gradients),
  jacobianSpectrum: () => pictures.drawJacobianSpectrum(data.jacobians),
  lyapunovSpectrum: () => pictures.drawLyapunovSpectrum(data.exponents),
  gates: () => pictures.drawGates(data.gates),
  deadUnits: () =>
    pictures.drawDeadUnits({
      leaves: [
        { of: "state", path: "h", units: 12, constant: [3], oneSided: [1, 2] },
        { of: "output", path: "", units: 4, constant: [], oneSided: [] },
      ],
    }),
  memory: () => pictures.drawMemory(data.memory),
  fixedPoints: () => pictures.drawFixedPoints(data.points, data.visited),
  "fixedPoints, none found": () =>
    pictures.drawFixedPoints({ ...data.points, points: [] }, data.visited),
  truncationBias: () =>
    pictures.drawTruncationBias({ "k1 = 5": data.biases }, { tolerance: 0.1, k2: 20 }),
  estimators: () => pictures.drawEstimators(data.comparison),
};

test.each(Object.entries(drawn))("%s is a drawing of numbers", (_name, draw) => {
  const svg = draw();
  expect(svg.startsWith("<svg")).toBe(true);
  expect(svg.match(/<svg/g)!.length).toBe(svg.match(/<\/svg>/g)!.length);
  // An address of an image may spell anything.
  expect(svg.replaceAll(/base64,[^"]*/g, "")).not.toMatch(/NaN|Infinity|undefined|null/);
});

test("every picture of the entry point is looked at", () => {
  const names = Object.keys(pictures).filter((name) => name.startsWith("draw"));
  const tested = Object.keys(drawn).map((name) => `draw${name[0]!.toUpperCase()}${name.slice(1)}`);
  expect(tested).toEqual(expect.arrayContaining(names));
});

test("the lag matrix is an image with a pixel for each step and lag", () => {
  const [, base64 = ""] = /base64,([^"]*)/.exec(drawn.lagMatrix!())!;
  const file = Buffer.from(base64, "base64");
  expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([60, 31]);
  // After the palette of 256 colours: signature, header, palette, and then the pixels.
  const at = 8 + 25 + 12 + 3 * 256;
  const rows = inflateSync(file.subarray(at + 8, at + 8 + file.readUInt32BE(at)));
  const pixel = (step: number, lag: number) => rows[(30 - lag) * 61 + step]!;
  // Step 7 has no loss, step 3 no state 10 steps before it.
  expect([pixel(7, 0), pixel(3, 10)]).toEqual([0, 0]);
  expect(pixel(50, 0)).toBeGreaterThan(pixel(50, 20));
  expect(pixel(50, 20)).toBeGreaterThan(0);
});

test("units that forget all or nothing are not on the axis of the memory", () => {
  const [, path = ""] = /aria-label="line".*?d="([^"]*)"/s.exec(drawn.memory!())!;
  expect(path.match(/[ML]/g)).toHaveLength(2);
});

test("principal components are those of the covariance", () => {
  // On the line (3, 4) through (1, 2) with deviations -2, 0, 2, and 1 across at its ends.
  const along = [0.6, 0.8] as const;
  const at = (a: number, b: number) => [
    1 + a * along[0] - b * along[1],
    2 + a * along[1] + b * along[0],
  ];
  const { project, shares } = principal([at(-2, 1), at(0, -2), at(2, 1)]);
  expect(shares[0]).toBeCloseTo(8 / 14, 12);
  expect(shares[1]).toBeCloseTo(6 / 14, 12);
  const [x, y] = project(at(2, 1));
  expect([Math.abs(x), Math.abs(y)]).toEqual([expect.closeTo(2, 9), expect.closeTo(1, 9)]);
});
