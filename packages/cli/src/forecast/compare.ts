import type { Communicator } from "@chronograd/nn";
import { coverage } from "@chronograd/nn/metrics";
import { checkOptions } from "../checkOptions.ts";
import { autoregression } from "./autoregression.ts";
import { combined } from "./combined.ts";
import type { Interval, Predicted } from "./conformal.ts";
import type { Forecaster } from "./forecaster.ts";
import { holtWinters } from "./holtWinters.ts";
import { type Recurrent, type RecurrentOptions, recurrent } from "./recurrent.ts";
import { nestedIntervals, originsIn, rollingRmse } from "./rolling.ts";
import { seasonalNaive } from "./seasonalNaive.ts";

/** What `compare` takes. */
export interface CompareOptions {
  /** Steps of a season; 1 for none. */
  readonly season: number;
  /** Steps of a season where they are no whole number, such as 365.25. */
  readonly period?: number;
  readonly horizon: number;
  /** Where the values begin that calibrate the intervals. */
  readonly validation: number;
  /** Where the values begin that no model is fitted to. */
  readonly test: number;
  /** Shares of values that intervals are to hold. */
  readonly levels: readonly number[];
  readonly seed?: number;
  readonly head?: NonNullable<RecurrentOptions["head"]>;
  readonly members?: number;
  readonly epochs?: number;
  /** The ranks that train together, as in `recurrent`; every one gets the comparison. */
  readonly communicator?: Communicator;
  readonly onEpoch?: (done: number, total: number, loss: number) => boolean;
}

const known: readonly (keyof CompareOptions)[] = [
  ...(["season", "period", "horizon", "validation", "test", "levels", "seed", "head"] as const),
  ...(["members", "epochs", "communicator", "onEpoch"] as const),
];

/** A forecaster and its root mean squared error over all origins and steps. */
export interface Scored {
  readonly name: string;
  readonly rmse: number;
}

/** Forecasts of held-out values beside what came. */
export interface Comparison {
  /** Seconds that both trainings of the networks took. */
  readonly seconds: number;
  readonly recurrent: Scored;
  readonly baselines: readonly Scored[];
  /** Of the recurrent forecaster, from every origin of the test, and from the end of the series. */
  readonly forecasts: readonly Predicted[];
  /** Intervals of these forecasts, and the share of held-out values that they held. */
  readonly intervals: readonly {
    readonly level: number;
    readonly intervals: readonly Interval[];
    readonly coverage: number;
  }[];
}

/** Seasons of more steps than this are waves in a regression. */
const longest = 36;

/** A base for the recurrent network, and the methods that anyone would try first. */
interface Fitted {
  readonly base: Forecaster;
  /** How many values the base needs before an origin. */
  readonly least: number;
  /** Fits the baselines, the base among them. */
  baselines(): readonly Forecaster[];
}

/** The methods that anyone would try first, fitted to values. */
export function baselinesOf(values: Float64Array, season: number): readonly Forecaster[] {
  return fitted(values, season, periodOf(season)).baselines();
}

/** Steps of a season of days that is a year. */
export const periodOf = (season: number): number => (season === 365 ? 365.25 : season);

/**
 * Fits to values. The base is an autoregression, with waves for a long season, and the mean of one
 * and Holt-Winters for a short season.
 */
function fitted(values: Float64Array, season: number, period: number): Fitted {
  const most = season > longest || season === 1 ? 14 : 2 * season + 2;
  const maxLag = Math.min(most, values.length >> 3);
  const naive = seasonalNaive({ season });
  if (season > longest) {
    const waves = autoregression(values, { maxLag, waves: { period, harmonics: 2 } });
    const base = { ...waves, name: `waves and ${waves.name}` };
    const lagged = () => autoregression(values, { maxLag, season });
    const baselines = () => [naive, holtWinters(values, { season }), lagged(), base];
    return { base, least: waves.least, baselines };
  }
  const lagged = autoregression(values, { maxLag, ...(season > maxLag && { season }) });
  if (season === 1) return { base: lagged, least: lagged.least, baselines: () => [naive, lagged] };
  const smooth = holtWinters(values, { season });
  const base = combined([lagged, smooth]);
  const least = Math.max(lagged.least, 2 * season);
  return { base, least, baselines: () => [naive, smooth, lagged, base] };
}

/**
 * Trains the recurrent forecaster, and compares it with baselines on the end of a series, from
 * every origin there. All are fitted to the values before `test`. The intervals are calibrated by
 * the errors of a network that was trained on the values before `validation` alone, and then, as
 * the test goes on, by those of the forecasts whose values have come.
 */
export function compare(values: Float64Array, options: CompareOptions): Comparison {
  checkOptions("compare", options, known);
  const { season, period = season, horizon, validation, test, levels } = options;
  const { seed = 1, head = "gaussian", members = 5, epochs = 20, onEpoch } = options;
  const { communicator } = options;
  let seconds = 0;
  const trained = (end: number, part: number): { model: Recurrent; fit: Fitted } => {
    const past = values.subarray(0, end);
    const fit = fitted(past, season, period);
    const began = performance.now();
    const model = recurrent(past, {
      ...{ base: fit.base, least: fit.least, horizon, period, seed, head, members, epochs },
      window: Math.min(28, end >> 3),
      ...(communicator && { communicator }),
      onEpoch: (done, total, loss) => onEpoch?.(part * total + done, 2 * total, loss) ?? false,
    });
    seconds += (performance.now() - began) / 1000;
    return { model, fit };
  };
  const calibration = trained(validation, 0).model.predict(
    values.subarray(0, test),
    originsIn(validation, test, horizon),
    horizon,
  );
  const { model, fit } = trained(test, 1);
  const origins = originsIn(test, values.length, horizon);
  const forecasts = model.predict(values, [...origins, values.length], horizon);
  const nested = nestedIntervals(values, [...calibration, ...forecasts], levels, 0.1);
  const heldOut = forecasts.slice(0, -1);
  const score = (name: string, all: readonly Float64Array[]): Scored => ({
    name,
    rmse: rollingRmse(values, origins, all),
  });
  return {
    seconds,
    recurrent: score(
      "recurrent",
      heldOut.map(({ mean }) => mean),
    ),
    baselines: fit
      .baselines()
      .map((each) => score(each.name, each.forecast(values, origins, horizon))),
    forecasts,
    intervals: nested.map(({ level, intervals: all }) => {
      const intervals = all.slice(calibration.length);
      const known = intervals.slice(0, -1);
      const actual = origins.flatMap((t) => [...values.subarray(t, t + horizon)]);
      const ends = (end: keyof Interval) => known.flatMap((interval) => [...interval[end]]);
      return { level, intervals, coverage: coverage(ends("lower"), ends("upper"), actual) };
    }),
  };
}
