/** Digits, or an amount of bytes. */
const number = /^[\d.,e+-]+( [kMGTPE]?B)?$/;

/**
 * Rows of text in columns of equal width, the first of them names. Columns of numbers are aligned
 * at the right.
 */
export function textTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)));
  const isNumber = rows[0]!.map((_, c) =>
    rows.slice(1).every((row) => row[c] === "" || number.test(row[c]!)),
  );
  return rows.map((row) =>
    row
      .map((cell, c) => (isNumber[c] ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
      .join("  ")
      .trimEnd(),
  );
}
