import { UsageError } from "../command/errors.ts";
import { columnIndex, type Table } from "./csv.ts";
import type { Missing } from "./fill.ts";

const isNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const isMissing = /^(?:|na|n\/a|nan|null|none|-|\.|\?)$/i;

/** "1,234", "1 234.5", "1.234,5": with separators of thousands. */
const hasSeparators = /^[+-]?\d{1,3}(?:[ ,.'’_\u00a0\u2009\u202f]\d{3})+(?:[.,]\d+)?$/;
const hasComma = /^[+-]?\d*,\d+$/;
const isWrittenOtherwise = (text: string) => hasSeparators.test(text) || hasComma.test(text);

/**
 * The columns of numbers: more than half of the values that are there are some, even where they are
 * written in a way that `numbersOf` refuses.
 */
export function numericColumns({ columns, rows }: Table): string[] {
  return columns.filter((_, column) => {
    const there = rows.map(({ cells }) => cells[column]!).filter((text) => !isMissing.test(text));
    return (
      2 * there.filter((text) => isNumber.test(text) || isWrittenOtherwise(text)).length >
      there.length
    );
  });
}

/**
 * The numbers of a column, NaN where one is missing: an empty field, NA, NaN, null, "-", "." or
 * "?". Throws a `UsageError` for another text, and for a missing one where `missing` is "refuse".
 */
export function numbersOf(table: Table, name: string, missing: Missing): Float64Array {
  const column = columnIndex(table, name);
  return Float64Array.from(table.rows, ({ number, cells }) => {
    const text = cells[column]!;
    const value = isNumber.test(text) ? Number(text) : Number.NaN;
    if (Number.isFinite(value)) return value;
    const where = `${table.file}, row ${number}, ${name}`;
    if (!isMissing.test(text)) {
      const way = hasSeparators.test(text)
        ? "; write it without separators of thousands, and decimals with a point"
        : hasComma.test(text)
          ? "; write decimals with a point"
          : "";
      throw new UsageError(`${where}: "${text}" is no number${way}`);
    }
    if (missing !== "refuse") return Number.NaN;
    const what = text === "" ? "the value is missing" : `the value is missing ("${text}")`;
    throw new UsageError(`${where}: ${what}; "interpolate" or "previous" for missing fills it`);
  });
}
