import { createHash } from "node:crypto";
import { counted } from "../../command/counted.ts";
import { UsageError } from "../../command/errors.ts";
import { short } from "../../command/short.ts";
import { columnsText, readCsv, type Table } from "../../data/csv.ts";
import { fill, type Missing } from "../../data/fill.ts";
import { deviationOf, meanOf } from "../../data/moments.ts";
import { numbersOf, numericColumns } from "../../data/numbers.ts";

/** Columns of numbers, each with mean 0 and variance 1 over the rows for training. */
export interface Series {
  /** Name of the file. */
  readonly file: string;
  /** All that the file holds. */
  readonly table: Table;
  readonly columns: readonly string[];
  /** The other columns of the file. */
  readonly others: readonly string[];
  readonly digest: string;
  readonly length: number;
  /** Rows for training; those after them are held out. */
  readonly training: number;
  readonly means: readonly number[];
  readonly deviations: readonly number[];
  /** Of each column, in the units of the file. */
  readonly values: readonly Float64Array[];
  /** The standardised values of a row, and how they change to the next. */
  row(i: number): Float32Array;
  change(i: number): Float32Array;
}

/** The share of the rows, at the end, that training never sees. */
const heldOutShare = 0.2;

/** How the columns of a file were chosen and scaled. */
export interface Scaling {
  readonly columns: readonly string[];
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

/** What a table of numbers is read by. */
export interface SeriesOptions {
  readonly csv: string;
  readonly columns?: readonly string[] | undefined;
  readonly missing: Missing;
}

/**
 * Reads columns of a CSV file. `known` fixes the columns and their scale for a model that is there
 * already.
 */
export async function loadSeries(options: SeriesOptions, known?: Scaling): Promise<Series> {
  const table = await readCsv(options.csv);
  const columns = known?.columns ?? options.columns ?? chosenColumns(table);
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new UsageError(`--columns names ${twice} twice; name each column once`);
  }
  const values = columns.map((name) =>
    fill(numbersOf(table, name, options.missing), options.missing, (i) => {
      return `${table.file}, row ${table.rows[i]!.number}, ${name}`;
    }),
  );
  const length = table.rows.length;
  const training = Math.floor(length * (1 - heldOutShare));
  if (length - training < 2 || training < 4) {
    throw new UsageError(
      `${table.file} has ${counted(length, "row")} of numbers, too few to learn from and to hold some out; expected at least 10`,
    );
  }
  const parts = values.map((column) => column.subarray(0, training));
  const means = known?.means ?? parts.map(meanOf);
  const deviations = known?.deviations ?? parts.map(deviationOf);
  for (const [c, column] of values.entries()) {
    const scaled = (x: number) => Math.fround((x - means[c]!) / deviations[c]!);
    const i = column.findIndex((x) => !Number.isFinite(scaled(x)));
    if (i < 0) continue;
    throw new UsageError(
      `${table.file}, row ${table.rows[i]!.number}, ${columns[c]}: ${column[i]} is too large beside the mean ${short(means[c]!)} and the deviation ${short(deviations[c]!)} of what is learnt; leave the row out, or scale the column`,
    );
  }
  const row = (i: number) =>
    Float32Array.from(values, (column, c) => (column[i]! - means[c]!) / deviations[c]!);
  const change = (i: number) =>
    Float32Array.from(values, (column, c) => (column[i + 1]! - column[i]!) / deviations[c]!);
  const hash = createHash("sha256").update(columns.join("\n"));
  for (const column of values) hash.update(column);
  const digest = hash.digest("hex");
  const others = table.columns.filter((name) => !columns.includes(name));
  return {
    file: table.file,
    table,
    values,
    columns,
    others,
    digest,
    length,
    training,
    means,
    deviations,
    row,
    change,
  };
}

/** All columns of numbers. */
function chosenColumns(table: Table): readonly string[] {
  const numeric = numericColumns(table);
  if (numeric.length > 0) return numeric;
  throw new UsageError(
    `${table.file} has no column of numbers; its columns are ${columnsText(table.columns)}; --columns names those to take`,
  );
}
