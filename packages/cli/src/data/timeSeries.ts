import { checkOptions } from "../checkOptions.ts";
import { UsageError } from "../command/errors.ts";
import type { Table } from "./csv.ts";
import { fill, type Missing } from "./fill.ts";
import { gridOf } from "./grid.ts";
import { numbersOf } from "./numbers.ts";
import { formatTime, type Spacing } from "./spacing.ts";

/** Numbers at equally spaced times. */
export interface TimeSeries {
  /** Name of the file. */
  readonly file: string;
  readonly spacing: Spacing;
  /** Milliseconds since 1970, UTC. */
  readonly times: Float64Array;
  /** By the name of the column; each as long as `times`. */
  readonly values: Readonly<Record<string, Float64Array>>;
  /** How many values were missing, in the file or as rows that it has not, and were filled. */
  readonly filled: number;
}

/** What `timeSeries` takes. */
export interface TimeSeriesOptions {
  /** The column of dates: ISO 8601, 31.12.2015, 12/31/2015, Dec 31 2015. */
  readonly date: string;
  /** The columns of numbers. */
  readonly columns: readonly string[];
  /** What happens to missing values and rows; they are refused unless given. */
  readonly missing?: Missing;
}

/**
 * Equally spaced series from the rows of a table. The spacing (hourly, daily, monthly, ...) is that
 * of the nearest two rows.
 *
 * Throws a `UsageError` with file, row and column for what is no date or number, for dates that are
 * out of order, come twice or are not equally spaced, and for gaps that nothing fills.
 *
 * @example
 * ```ts
 * import { parseCsv, timeSeries } from "chronograd/data";
 *
 * const text = "month,ppm\n1958-03,315.7\n1958-04,317.5\n1958-06,\n1958-07,315.9\n";
 * const series = timeSeries(parseCsv(text, "co2.csv"), {
 *   date: "month",
 *   columns: ["ppm"],
 *   missing: "previous",
 * });
 * [...series.values.ppm!]; // => [315.7, 317.5, 317.5, 317.5, 315.9]
 * series.spacing; // => { unit: "month", count: 1 }
 * ```
 */
export function timeSeries(table: Table, options: TimeSeriesOptions): TimeSeries {
  const { file, rows } = table;
  checkOptions("timeSeries", options, ["date", "columns", "missing"]);
  const { date, columns, missing = "refuse" } = options;
  if (!Array.isArray(columns) || columns.length === 0) {
    throw new TypeError(
      `timeSeries: columns must be a list of names of columns, got ${JSON.stringify(columns)}`,
    );
  }
  if (!["refuse", "interpolate", "previous"].includes(missing)) {
    throw new TypeError(
      `timeSeries: missing must be "refuse", "interpolate" or "previous", got ${JSON.stringify(missing)}`,
    );
  }
  const numbers = columns.map((name) => numbersOf(table, name, missing));
  const { spacing, steps, times } = gridOf(table, date);
  if (times.length > rows.length && missing === "refuse") {
    const gap = steps.findIndex((step, i) => step > i);
    const [a, b] = [rows[gap - 1]!.number, rows[gap]!.number];
    throw new UsageError(
      `${file}: a row is missing for ${formatTime(times[gap]!, spacing)}, between row ${a} and row ${b}, and for ${times.length - rows.length} times in all; "interpolate" or "previous" for missing fills them`,
    );
  }
  let filled = 0;
  const columnOf = (name: string, known: Float64Array) => {
    const values = new Float64Array(times.length).fill(Number.NaN);
    steps.forEach((step, i) => {
      values[step] = known[i]!;
    });
    filled += values.filter(Number.isNaN).length;
    return fill(values, missing, (i) => `${file}, ${formatTime(times[i]!, spacing)}, ${name}`);
  };
  const values = Object.fromEntries(
    columns.map((name, i) => [name, columnOf(name, numbers[i]!)] as const),
  );
  return { file, spacing, times, values, filled };
}
