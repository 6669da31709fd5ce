import { counted } from "../../command/counted.ts";
import { UsageError } from "../../command/errors.ts";
import { columnIndex, type Table } from "../../data/csv.ts";
import { parseDates } from "../../data/dates.ts";
import { gridOf } from "../../data/grid.ts";
import type { Spacing } from "../../data/spacing.ts";

/** The first column of a table that holds dates. */
export function dateColumn(table: Table): string | undefined {
  // A year alone is a date and a number: a column of such comes first, or is named.
  return table.columns.find((name) => {
    const column = columnIndex(table, name);
    return !("wrong" in parseDates(table.rows.slice(0, 100).map(({ cells }) => cells[column]!)));
  });
}

/** When the rows of a table are. */
export interface Dates {
  readonly times: Float64Array;
  readonly spacing: Spacing;
  /** Why the rows have numbers in the place of dates, if they could have some. */
  readonly why?: string;
}

/**
 * The dates of rows that follow each other in equal steps; their numbers in the file where there
 * are no such dates. A column that is named must have some.
 */
export function datesOf(table: Table, named: string | undefined): Dates {
  const numbers: Dates = {
    times: Float64Array.from(table.rows, ({ number }) => number),
    spacing: { unit: "row", count: 1 },
  };
  const name = named ?? dateColumn(table);
  if (name === undefined) return numbers;
  try {
    const { times, spacing } = gridOf(table, name);
    const gaps = times.length - table.rows.length;
    if (gaps === 0) return { times, spacing };
    throw new UsageError(
      `${table.file}, ${name}: ${counted(gaps, "date")} ${gaps === 1 ? "is" : "are"} missing`,
    );
  } catch (error) {
    if (named !== undefined || !(error instanceof UsageError)) throw error;
    return { ...numbers, why: `Rows are numbered, because of their dates: ${error.message}` };
  }
}
