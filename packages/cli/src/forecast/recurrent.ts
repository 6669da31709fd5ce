import { scope, tensor } from "@chronograd/autodiff";
import { type Communicator, selfCommunicator } from "@chronograd/nn";
import { checkOptions } from "../checkOptions.ts";
import { counted } from "../command/counted.ts";
import { deviationOf } from "../data/moments.ts";
import { checkOrigins, checkValues } from "./checks.ts";
import type { Predicted } from "./conformal.ts";
import type { Forecaster } from "./forecaster.ts";
import { heads } from "./heads.ts";
import { type Network, trainNetwork } from "./network.ts";

/** What `recurrent` takes. */
export interface RecurrentOptions {
  /** The forecaster that the network corrects. */
  readonly base: Forecaster;
  /** How many values the base needs before an origin. */
  readonly least: number;
  readonly horizon: number;
  /** Steps of a season, such as 365.25. */
  readonly period: number;
  /** How many steps the network reads: 28 unless given. */
  readonly window?: number;
  /** What the networks say about each step: `"gaussian"` unless given. */
  readonly head?: keyof typeof heads;
  /** 32 unless given. */
  readonly hidden?: number;
  /** Networks, whose distributions are averaged: 5 unless given. */
  readonly members?: number;
  /** 20 unless given. */
  readonly epochs?: number;
  /** 1 unless given; member i has the seed 100 seed + i. */
  readonly seed?: number;
  /**
   * The ranks that share the windows of each batch, such as `mpi()`; all make the same calls, and
   * get the same forecaster. This process alone unless given.
   */
  readonly communicator?: Communicator;
  /** Called after each epoch of each member; returns true to stop, on the first rank. */
  readonly onEpoch?: (done: number, total: number, loss: number) => boolean;
}

const known = [
  ...["base", "least", "horizon", "period", "window", "head", "hidden"],
  ...["members", "epochs", "seed", "communicator", "onEpoch"],
];

/** A trained recurrent forecaster. */
export interface Recurrent extends Forecaster {
  /** Forecasts with the scales of their errors. */
  predict(values: Float64Array, origins: readonly number[], horizon: number): readonly Predicted[];
}

function headOf(name: keyof typeof heads = "gaussian") {
  if (Object.hasOwn(heads, name)) return heads[name];
  throw new TypeError(
    `recurrent: head must be ${Object.keys(heads).join(" or ")}, got ${JSON.stringify(name)}`,
  );
}

/**
 * A recurrent network that corrects another forecaster: a hybrid, as Zhang 2003 (Time series
 * forecasting using a hybrid ARIMA and neural network model) and Smyl 2020 (ES-RNN) have it.
 *
 * A GRU reads the last `window` errors of one step that the base made, scaled by their deviation,
 * and where in the season they were. From its last state comes what the base's errors will be at
 * each step of the horizon: a mean and a variance, or three quantiles. Several networks from
 * different seeds are one mixture (Lakshminarayanan et al. 2017, deep ensembles). Scales are those
 * of `values`, so nothing later is known to the network.
 *
 * @param values what it is trained on
 * @throws for fewer than 20 windows
 */
export function recurrent(values: Float64Array, options: RecurrentOptions): Recurrent {
  const { base, least, horizon, period, window = 28 } = options;
  const { hidden = 32, members = 5, epochs = 20, seed = 1, onEpoch } = options;
  const { communicator = selfCommunicator } = options;
  checkOptions("recurrent", options, known);
  const head = headOf(options.head);
  checkValues(values, "recurrent");
  const first = least + window;
  const count = values.length - horizon - first + 1;
  if (count < 20) {
    throw new RangeError(
      `recurrent: ${counted(values.length, "value")} make ${counted(Math.max(0, count), "window")} of ${window} and ${counted(horizon, "step")} after ${least}, expected at least 20; take a shorter window or horizon`,
    );
  }
  const origins = Array.from({ length: count }, (_, i) => first + i);
  const residuals = base
    .forecast(values, origins, horizon)
    .map((forecast, i) => forecast.map((x, h) => values[origins[i]! + h]! - x));
  const scales = Array.from({ length: horizon }, (_, h) =>
    deviationOf(residuals.map((r) => r[h]!)),
  );
  const errors = oneStepErrors(values);
  const scale = deviationOf(errors.subarray(least));
  const inputsAt = (of: Float64Array, at: readonly number[]) => {
    const read = Array.from({ length: window }, (_, w) =>
      at.map((origin) => featuresAt(of, origin - window + w)),
    );
    return tensor(read, { dtype: "float32" });
  };
  const onOne = (member: number) => (epoch: number, loss: number) =>
    onEpoch?.((member - 1) * epochs + epoch, members * epochs, loss) ?? false;
  const networks: Network[] = [];
  for (let member = 1; member <= members; member++) {
    const windows = {
      count,
      inputs: (some: readonly number[]) =>
        inputsAt(
          errors,
          some.map((i) => origins[i]!),
        ),
      targets: (some: readonly number[]) =>
        tensor(some.map((i) => [...residuals[i]!].map((x, h) => x / scales[h]!))),
    };
    const sizes = { features: 3, hidden, horizon, head, epochs, batch: 64, learningRate: 3e-3 };
    const drawn = { weightDecay: 0.01, dropRate: 0.2, seed: 100 * seed + member, communicator };
    networks.push(trainNetwork(windows, { ...sizes, ...drawn, onEpoch: onOne(member) }));
  }

  function oneStepErrors(of: Float64Array): Float64Array {
    const at = Array.from({ length: of.length - least }, (_, i) => least + i);
    const known = new Float64Array(of.length);
    base.forecast(of, at, 1).forEach((forecast, i) => {
      known[at[i]!] = of[at[i]!]! - forecast[0]!;
    });
    return known;
  }
  function featuresAt(of: Float64Array, t: number): number[] {
    const angle = (2 * Math.PI * (t % period)) / period;
    return [of[t]! / scale, Math.cos(angle), Math.sin(angle)];
  }
  function predict(series: Float64Array, at: readonly number[], steps: number): Predicted[] {
    checkOrigins(series, at, steps, first, "recurrent");
    if (steps > horizon) {
      throw new RangeError(
        `recurrent: it was trained for ${counted(horizon, "step")}, and cannot forecast ${steps}`,
      );
    }
    const plain = base.forecast(series, at, steps);
    const known = oneStepErrors(series.subarray(0, Math.max(...at)));
    return scope(() => {
      const inputs = inputsAt(known, at);
      const outputs = networks.map((network) => network(inputs).toTypedArray());
      const width = head.outputs * horizon;
      return at.map((origin, i) => {
        const row = (output: ArrayLike<number>) =>
          Array.from({ length: width }, (_, j) => output[i * width + j]!);
        const { mean, below, above } = head.read(outputs.map(row), horizon);
        const scaled = (of: readonly number[]) =>
          Float64Array.from({ length: steps }, (_, h) => scales[h]! * of[h]!);
        const correction = scaled(mean);
        return {
          origin,
          mean: plain[i]!.map((x, h) => x + correction[h]!),
          below: scaled(below),
          above: scaled(above),
        };
      });
    });
  }
  return {
    name: "recurrent",
    predict,
    forecast: (series, at, steps) => predict(series, at, steps).map(({ mean }) => mean),
  };
}
