import { basename } from "node:path";
import Papa from "papaparse";
import { counted } from "../command/counted.ts";
import { UsageError } from "../command/errors.ts";
import { hintFor } from "../command/nearest.ts";
import { readText } from "../command/readInput.ts";

/** A file of rows with named columns. */
export interface Table {
  /** Name of the file, for messages. */
  readonly file: string;
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
}

/** One row of a table. */
export interface TableRow {
  /** Its number in the file as a spreadsheet shows it: the names of columns are row 1. */
  readonly number: number;
  /** As many texts as there are columns. */
  readonly cells: readonly string[];
}

/**
 * Reads a CSV file whose first row names its columns: UTF-8, with or without a byte-order mark, any
 * line ends, commas, semicolons or tabs, quotes (RFC 4180). Empty rows are passed over.
 *
 * Throws a `UsageError` with file and row for what is none.
 */
export async function readCsv(path: string): Promise<Table> {
  const text = readText(path, `cannot read ${path}`, 'save it as "CSV UTF-8"');
  return parseCsv(text, basename(path));
}

/**
 * The table that the text of a CSV file holds.
 *
 * @param file its name, for messages
 *
 * @example
 * ```ts
 * import { parseCsv } from "chronograd/data";
 *
 * const { columns, rows } = parseCsv("date,high\r\n2012-01-01,12.8\r\n", "weather.csv");
 * columns; // => ["date", "high"]
 * rows; // => [{ number: 2, cells: ["2012-01-01", "12.8"] }]
 * ```
 */
export function parseCsv(text: string, file: string): Table {
  const plain = text.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n");
  const { data, errors } = Papa.parse<string[]>(plain, {
    newline: "\n",
    delimitersToGuess: [",", ";", "\t", "|"],
  });
  const broken = errors.find(({ type }) => type === "Quotes");
  if (broken !== undefined) {
    throw new UsageError(
      `${file}, row ${(broken.row ?? 0) + 1}: a quoted field is not closed; write " inside of one as ""`,
    );
  }
  const all = data
    .map((cells, i) => ({ number: i + 1, cells: cells.map((cell) => cell.trim()) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ""));
  const [head, ...rows] = all;
  if (head === undefined) throw new UsageError(`${file} is empty; expected names of columns`);
  checkColumns(file, head.cells);
  const count = head.cells.length;
  const uneven = rows.find(({ cells }) => cells.length !== count);
  if (uneven !== undefined) {
    throw new UsageError(
      `${file}, row ${uneven.number} has ${counted(uneven.cells.length, "field")}, expected ${count}: ${columnsText(head.cells)}`,
    );
  }
  if (rows.length === 0) {
    throw new UsageError(`${file} has the columns ${columnsText(head.cells)}, and no rows`);
  }
  return { file, columns: head.cells, rows };
}

function checkColumns(file: string, columns: readonly string[]): void {
  const twice = columns.find((name, i) => columns.indexOf(name) < i);
  if (twice === undefined) return;
  throw new UsageError(
    twice === ""
      ? `${file} has more than one column without a name; name them in the first row`
      : `${file} has the column "${twice}" more than once; rename one`,
  );
}

/** Names of columns in a sentence: the first ones, where they are long or many. */
export function columnsText(columns: readonly string[]): string {
  const names = columns.map((name) => (name.length > 60 ? `${name.slice(0, 60)} ...` : name));
  let text = names[0] ?? "none";
  for (const [i, name] of names.entries()) {
    if (i === 0) continue;
    if (text.length + name.length > 300) return `${text} and ${names.length - i} more`;
    text += `, ${name}`;
  }
  return text;
}

/** The position of a column. Throws a `UsageError` that suggests the nearest name. */
export function columnIndex({ file, columns }: Table, name: string): number {
  const index = columns.indexOf(name);
  if (index >= 0) return index;
  throw new UsageError(
    `${file} has no column "${name}"${hintFor(name, columns, ";")} its columns are ${columnsText(columns)}`,
  );
}
