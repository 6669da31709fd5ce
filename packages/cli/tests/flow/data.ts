import type { EstimatorComparison, EstimatorRow } from "@chronograd/rnn/estimators";
import type {
  JacobianSpectrum,
  LagMatrix,
  LyapunovSpectrum,
  TruncationBias,
} from "@chronograd/rnn/flow";

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

const exact = (value: number | null) => ({ value, low: value, high: value });

/** An estimate, an exact one, one that does not exist, and no bias at all. */
export const bias: TruncationBias = {
  k1: 5,
  steps: 60,
  windows: 12,
  samples: null,
  biases: [
    {
      k2: 5,
      all: {
        cosine: { value: 0.8, low: 0.7, high: 0.9 },
        relativeError: { value: 0.5, low: 0.3, high: 0.8 },
        normRatio: exact(0.9),
      },
      params: {},
    },
    {
      k2: 10,
      all: { cosine: exact(0.98), relativeError: exact(0.2), normRatio: exact(1) },
      params: {},
    },
    {
      k2: 20,
      all: { cosine: exact(0.999), relativeError: exact(0.04), normRatio: exact(1) },
      params: {},
    },
    {
      k2: 40,
      all: { cosine: exact(null), relativeError: exact(null), normRatio: exact(null) },
      params: {},
    },
    { k2: 60, all: { cosine: exact(1), relativeError: exact(0), normRatio: exact(1) }, params: {} },
  ],
};

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
