import type { EstimatorComparison, EstimatorRow } from "@chronograd/rnn/estimators";
import type {
  EffectiveMemory,
  FixedPoints,
  GateSaturation,
  JacobianSpectrum,
  LagMatrix,
  LyapunovSpectrum,
  StateGradients,
} from "@chronograd/rnn/flow";
import type { RelativeBias } from "../../src/flow.ts";

const range = <T>(count: number, of: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => of(i));

const mean = range(31, (lag) => 0.8 * Math.exp(-lag / 4) + 0.05 * Math.exp(-lag / 15));

/** Norms that fall with the lag; step 7 has no loss. */
export const lags: LagMatrix = {
  steps: 60,
  rows: 2,
  lags: 30,
  matrix: range(60, (i) =>
    i === 6
      ? null
      : range(Math.min(31, i + 2), (lag) => mean[lag]! * (1 + 0.6 * Math.sin(i / 3 - lag))),
  ),
  lossSteps: 31,
  mean,
  standardError: mean.map((each) => each / 10),
  interval: mean.map((each) => [each * 0.8, each * 1.2] as const),
  batches: { of: "steps", count: 5 },
  decay: {
    rate: 0.92,
    interval: [0.9, 0.94],
    standardError: 0.01,
    from: 15,
    to: 30,
    residual: 0.05,
  },
  tail: 0.02,
  reach: [
    { share: 0.5, steps: 3 },
    { share: 0.9, steps: 16 },
    { share: 0.99, steps: null },
  ],
};

/** Norms around 1, two of them exactly 0. */
export const jacobians: JacobianSpectrum = {
  size: 4,
  method: "dense",
  steps: range(40, (i) => {
    const norm = 1 + 0.3 * Math.sin(i / 2);
    const singularValues = [norm, 0.6 * norm, 0.1, i < 2 ? 0 : 0.01];
    return { t: i + 1, norm, radius: 0.9 * norm, singularValues, rows: [] };
  }),
};

/** Exponents that converge, and one that is lost. */
export const exponents: LyapunovSpectrum = {
  size: 3,
  steps: 100,
  exponents: [-0.02, -0.31, -Infinity],
  errors: [0.01, 0.02, 0],
  spread: [0, 0, 0],
  rows: [],
  running: range(50, (i) => ({
    t: 2 * (i + 1),
    exponents: [-0.02 + 0.3 / (i + 1), -0.31 + Math.sin(i) / (i + 1), -Infinity],
  })),
};

/** An estimate, an exact one, one that does not exist, and no bias at all. */
export const biases: readonly RelativeBias[] = [
  { k2: 5, relativeError: { value: 0.5, low: 0.3, high: 0.8 } },
  { k2: 10, relativeError: { value: 0.2, low: 0.2, high: 0.2 } },
  { k2: 20, relativeError: { value: null, low: null, high: null } },
  { k2: 40, relativeError: { value: 0.04, low: 0, high: null } },
  { k2: 60, relativeError: { value: 0, low: 0, high: 0 } },
];

/** Norms of two leaves, one of which gets no gradient for a while. */
export const gradients: StateGradients = {
  steps: 20,
  rows: 1,
  norms: range(20, (t) => 0.1 + t / 20),
  byRow: [],
  byLeaf: { h: range(20, (t) => 0.1 + t / 30), c: range(20, (t) => (t < 5 ? 0 : t / 30)) },
  byLayer: {},
};

/** Five gates, more than stand in a row. */
export const gates: GateSaturation = {
  ...{ steps: 20, rows: 1, tolerance: 0.1 },
  gates: ["i", "f", "g", "o", "z"].map((name) => ({
    ...{ name, op: "sigmoid", params: [], mean: 0.5, low: 0.2, high: 0.3 },
    units: { mean: [0.5, 0.5], low: [0.1, 0.3], high: [0.6, 0] },
  })),
};

/** A unit that forgets all, one that forgets nothing, and two that forget slowly. */
export const memory: EffectiveMemory = {
  ...{ steps: 20, rows: 1 },
  leaves: [
    {
      ...{ path: "c", isElementwise: true, factor: [0, 1, 0.5, 0.9] },
      timescale: [0, null, 1.4, 9.5],
    },
  ],
};

/** One point that attracts, and one that does not. */
export const points: FixedPoints = {
  ...{ size: 2, starts: 4, lost: 1 },
  points: [
    {
      ...{ kind: "fixed", state: [0.2, 0.1], q: 0, found: 2, radius: 0.6 },
      ...{
        eigenvalues: [
          [0.6, 0],
          [0.1, 0],
        ],
        isStable: true,
        unstable: 0,
      },
    },
    {
      ...{ kind: "slow", state: [0.5, 0.5], q: 1e-6, found: 1, radius: 1.2 },
      ...{
        eigenvalues: [
          [1, 0.6],
          [1, -0.6],
        ],
        isStable: false,
        unstable: 2,
      },
    },
  ],
};

/** States on a line, so that there is one principal component. */
export const visited: readonly (readonly number[])[] = range(12, (i) => [i / 12, i / 24]);

const row = (name: string, relative: EstimatorRow["relative"], cosine: number): EstimatorRow => ({
  ...{ name, isDeterministic: relative.deviation === 0, runs: 32, windows: 4 },
  ...{ bias: relative.bias, biasError: relative.biasError, variance: relative.deviation ** 2 },
  ...{ relative, cosine, cosineOfMean: cosine, seconds: 0.03, peakBytes: 12_000 },
});

/** One that is exact but for rounding, one with bias, one with variance. */
export const comparison: EstimatorComparison = {
  steps: 20,
  parameters: 55,
  full: { norm: 1, loss: 3, seconds: 0.01, peakBytes: 30_000 },
  estimators: [
    row("rtrl", { bias: 3e-16, biasError: 0, deviation: 0 }, 1),
    row("truncated 5, 5", { bias: 0.2, biasError: 0, deviation: 0 }, 0.98),
    row("uoro", { bias: 0.4, biasError: 0.5, deviation: 2.8 }, 0.3),
  ],
};
