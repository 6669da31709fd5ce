import { type Tensor, tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialParams, lstm, truncated } from "@chronograd/rnn";
import {
  artbp,
  compareEstimators,
  type EstimatorRow,
  eprop,
  kfRtrl,
  rtrl,
  snap,
  uoro,
} from "@chronograd/rnn/estimators";
import { drawEstimators } from "chronograd/flow";

/** Estimators of one cell against full back-propagation. */
export interface EstimatorsTable {
  readonly rows: readonly EstimatorRow[];
  readonly picture: string;
}

/** An LSTM of 8 units with its first weights, on 40 random steps of 2 rows. */
export function estimatorsTable(): EstimatorsTable {
  const cell = lstm({ input: 3, hidden: 8 });
  const random = rng(1, "stream");
  const normal = (shape: readonly [number, number]): Tensor =>
    tensor(
      Float64Array.from({ length: shape[0] * shape[1] }, () => random.normal()),
      { shape },
    );
  const stream = Array.from({ length: 40 }, () => ({
    input: normal([2, 3]),
    target: normal([2, 8]),
  }));
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const comparison = compareEstimators(
    cell,
    params,
    stream,
    [
      {
        name: "truncated, k2 = 5",
        windows: (c, p, s, o) => truncated(c, p, s, { ...o, k1: 5, k2: 5 }),
      },
      {
        name: "truncated, k2 = 20",
        windows: (c, p, s, o) => truncated(c, p, s, { ...o, k1: 5, k2: 20 }),
      },
      {
        name: "ARTBP, 10 steps",
        windows: (c, p, s, o, draws) => artbp(c, p, s, { ...o, draws, steps: 10 }),
      },
      { name: "RTRL", windows: (c, p, s, o) => rtrl(c, p, s, { ...o, k1: 5 }) },
      { name: "SnAp-1", windows: (c, p, s, o) => snap(c, p, s, { ...o, k1: 5, order: 1 }) },
      { name: "e-prop", windows: (c, p, s, o) => eprop(c, p, s, { ...o, k1: 5, visible: ["h"] }) },
      { name: "UORO", windows: (c, p, s, o, draws) => uoro(c, p, s, { ...o, draws, k1: 5 }) },
      { name: "KF-RTRL", windows: (c, p, s, o, draws) => kfRtrl(c, p, s, { ...o, draws, k1: 5 }) },
    ],
    { loss: (y, target) => y.sub(target).square(), repeats: 40 },
  );
  return { rows: comparison.estimators, picture: drawEstimators(comparison) };
}
