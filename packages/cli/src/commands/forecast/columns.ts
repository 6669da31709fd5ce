import { UsageError } from "../../command/errors.ts";
import { columnIndex, columnsText, type Table } from "../../data/csv.ts";
import { numericColumns } from "../../data/numbers.ts";
import { dateColumn } from "./dates.ts";

/**
 * The columns of dates and of numbers: those that were named, or the only ones that can be meant.
 */
export function chosenColumns(
  table: Table,
  given: { readonly date?: string | undefined; readonly column?: string | undefined },
): { readonly date: string; readonly column: string } {
  const { file, columns } = table;
  const date = given.date ?? dateColumn(table);
  if (date === undefined) {
    throw new UsageError(
      `${file} has no column of dates such as 2015-12-31; name it with --date: ${columnsText(columns)}`,
    );
  }
  columnIndex(table, date);
  const numeric = numericColumns(table).filter((name) => name !== date);
  const column = given.column ?? (numeric.length === 1 ? numeric[0] : undefined);
  if (column === undefined) {
    throw new UsageError(
      numeric.length === 0
        ? `${file} has no column of numbers beside "${date}"`
        : `${file} has ${numeric.length} columns of numbers; choose one with --column: ${columnsText(numeric)}`,
    );
  }
  columnIndex(table, column);
  if (column === date) {
    throw new UsageError(`--column: "${column}" is the column of dates; choose another`);
  }
  return { date, column };
}
