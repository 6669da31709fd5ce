import { counted } from "../command/counted.ts";
import { UsageError } from "../command/errors.ts";
import { columnIndex, type Table } from "./csv.ts";
import { parseDates } from "./dates.ts";
import { later, type Spacing, spacingOf } from "./spacing.ts";

/** Equally spaced times, and where the rows of a table stand among them. */
export interface Grid {
  readonly spacing: Spacing;
  /** Of the grid, without gaps: milliseconds since 1970, UTC. */
  readonly times: Float64Array;
  /** Of each row, its place among the times. */
  readonly steps: readonly number[];
}

/**
 * The grid of a column of dates. Throws a `UsageError` with the row of what does not fit on one.
 */
export function gridOf(table: Table, date: string): Grid {
  const { file, rows } = table;
  const column = columnIndex(table, date);
  const text = (row: number) => rows[row]!.cells[column]!;
  const refuse = (row: number, why: string): never => {
    throw new UsageError(`${file}, row ${rows[row]!.number}, ${date}: ${why}`);
  };
  const known = timesOf(table, column, date, refuse);
  for (let i = 1; i < known.length; i++) {
    if (known[i]! > known[i - 1]!) continue;
    refuse(
      i,
      known[i] === known[i - 1]
        ? `${text(i)} comes twice; keep one row for each date`
        : `${text(i)} comes after ${text(i - 1)}; sort the rows by date, the oldest first`,
    );
  }
  if (rows.length < 3) {
    const found = counted(rows.length, "row");
    throw new UsageError(`${file} has ${found} below the names; expected a series of at least 3`);
  }
  const found = spacingOf(known);
  if ("uneven" in found) {
    return refuse(
      found.uneven,
      `${text(found.uneven)} is no whole number of steps after ${text(0)}; expected equally spaced dates`,
    );
  }
  const { spacing, steps } = found;
  const length = steps.at(-1)! + 1;
  if (length > 20 * rows.length) {
    throw new UsageError(
      `${file}, ${date}: ${rows.length} rows for ${length} steps of the smallest distance between dates; expected equally spaced dates`,
    );
  }
  const times = new Float64Array(length);
  steps.forEach((step, i) => {
    const next = steps[i + 1] ?? step + 1;
    for (let s = step; s < next; s++) times[s] = later(known[i]!, spacing, s - step);
  });
  return { spacing, times, steps };
}

function timesOf(
  { file, rows }: Table,
  column: number,
  name: string,
  refuse: (row: number, why: string) => never,
): readonly number[] {
  const parsed = parseDates(rows.map(({ cells }) => cells[column]!));
  if ("times" in parsed) return [...parsed.times];
  if ("ambiguous" in parsed) {
    throw new UsageError(
      `${file}, ${name}: the dates could be ${parsed.ambiguous.join(" or ")}; write them as YYYY-MM-DD`,
    );
  }
  const { wrong, tried } = parsed;
  const form = wrong > 0 ? ` of the form ${tried}, as those before it` : "";
  return refuse(
    wrong,
    `"${rows[wrong]!.cells[column]}" is no date${form}; expected such as 2015-12-31`,
  );
}
