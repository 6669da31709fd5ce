import { coverage } from "@chronograd/nn/metrics";
import { RunError } from "../../command/errors.ts";
import { baselinesOf, type Comparison } from "../../forecast/compare.ts";
import type { Interval, Predicted } from "../../forecast/conformal.ts";
import { nestedIntervals, rollingRmse } from "../../forecast/rolling.ts";
import { rollOut } from "../../tasks/csv/rollOut.ts";
import type { Series } from "../../tasks/csv/table.ts";
import type { Trained } from "../../training/task.ts";

/** What is forecast from where. */
interface RolledOptions {
  /** Of the model. */
  readonly name: string;
  readonly column: string;
  /** Held-out origins. */
  readonly origins: readonly number[];
  readonly steps: number;
  readonly season: number;
  /** Shares of values that intervals are to hold. */
  readonly levels: readonly number[];
}

/**
 * Forecasts of a model that reads its own predictions, from held-out origins and from the end of a
 * series; their errors beside those of baselines; and intervals from the errors before each.
 */
export function rolledComparison(
  trained: Trained,
  series: Series,
  { name, column, origins, steps, season, levels }: RolledOptions,
): Comparison {
  const { training, length } = series;
  const values = series.values[series.columns.indexOf(column)]!;
  const forecasts = rolled(trained, series, column, [...origins, length], steps);
  const heldOut = forecasts.slice(0, -1);
  const score = (of: string, all: readonly Float64Array[]) => ({
    name: of,
    rmse: origins.length === 0 ? Number.NaN : rollingRmse(values, origins, all),
  });
  const baselines = origins.length === 0 ? [] : baselinesOf(values.subarray(0, training), season);
  return {
    seconds: 0,
    recurrent: score(
      name,
      heldOut.map(({ mean }) => mean),
    ),
    baselines: baselines.map((each) => score(each.name, each.forecast(values, origins, steps))),
    forecasts,
    intervals: nestedIntervals(values, forecasts, levels, 0).map(({ level, intervals }) => ({
      ...{ level, intervals },
      coverage: heldShare(values, origins, intervals.slice(0, -1)),
    })),
  };
}

/** Forecasts of a column with the scales 1: their errors alone say how wide an interval is. */
function rolled(
  trained: Trained,
  series: Series,
  column: string,
  origins: readonly number[],
  steps: number,
): Predicted[] {
  const at = series.columns.indexOf(column);
  const ones = new Float64Array(steps).fill(1);
  return rollOut(trained, series, origins, steps).map((columns, i) => {
    const mean = columns[at]!;
    const wrong = mean.findIndex((x) => !Number.isFinite(x));
    if (wrong < 0) return { origin: origins[i]!, mean, below: ones, above: ones };
    throw new RunError(
      `the forecast of ${column} is ${mean[wrong]} at step ${wrong + 1}: fed with its own predictions, the model diverges; give fewer --steps, or train another one`,
    );
  });
}

/** The share of values that intervals held, of those intervals that are finite. */
function heldShare(
  values: Float64Array,
  origins: readonly number[],
  intervals: readonly Interval[],
): number {
  const known = intervals.flatMap(({ lower, upper }, i) =>
    [...lower].flatMap((low, h) =>
      Number.isFinite(low) ? [{ low, high: upper[h]!, value: values[origins[i]! + h]! }] : [],
    ),
  );
  if (known.length === 0) return Number.NaN;
  return coverage(
    known.map(({ low }) => low),
    known.map(({ high }) => high),
    known.map(({ value }) => value),
  );
}
