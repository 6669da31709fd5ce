import * as z from "zod";
import { UsageError } from "../../command/errors.ts";
import { flagOf } from "../../command/flags.ts";
import { runFlags } from "../../command/runFlags.ts";
import type { Missing } from "../../data/fill.ts";

const share = z.number().gt(0).lt(100);
const text = z.string().min(1).optional();

/** The options of `chronograd forecast`; the schema below says what each is. */
export interface ForecastOptions {
  readonly source: string;
  readonly date: string | undefined;
  readonly column: string | undefined;
  readonly horizon: number | undefined;
  readonly steps: number | undefined;
  readonly csv: string | undefined;
  readonly season: number | undefined;
  readonly interval: number[] | undefined;
  readonly quantiles: number[] | undefined;
  readonly heldOut: number | undefined;
  readonly missing: Missing;
  readonly head: "gaussian" | "quantiles";
  readonly members: number;
  readonly epochs: number;
  readonly name: string | undefined;
  readonly force: boolean;
  readonly seed: number;
}

/** What `chronograd forecast` takes. */
export const forecastOptions: z.ZodObject<{
  readonly [Name in keyof ForecastOptions]: z.ZodType<ForecastOptions[Name]>;
}> = z.object({
  ...runFlags,
  source: z.string().describe("a CSV file with dates and numbers, or the folder of a run on one"),
  date: text
    .describe("the column of dates; the first that holds dates unless given")
    .meta({ value: "NAME" }),
  column: text
    .describe("the column to forecast; needed where more than one holds numbers")
    .meta({ value: "NAME" }),
  horizon: z.int().min(1).optional().describe("steps to forecast; a season of at most 36, or 7"),
  steps: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe("of a run: rows to go on; a season of at most 36, or 7"),
  csv: text
    .describe("of a run: another CSV file with its columns, to go on from the end of")
    .meta({ value: "FILE" }),
  season: z
    .int()
    .min(1)
    .optional()
    .describe("steps of a season, 1 for none; found by autocorrelation unless given"),
  interval: z
    .array(share)
    .min(1)
    .optional()
    .describe("percentages of values that intervals are to hold; 80,95 as far as the file allows"),
  quantiles: z
    .array(z.number().gt(0).lt(1))
    .optional()
    .describe("quantiles to write beside the forecasts, such as 0.1,0.9"),
  heldOut: z
    .int()
    .min(1)
    .optional()
    .describe("steps at the end that only the comparison sees; a fifth unless given"),
  missing: z
    .enum(["refuse", "interpolate", "previous"])
    .default("refuse")
    .describe("what becomes of missing values and rows"),
  head: z
    .enum(["gaussian", "quantiles"])
    .default("gaussian")
    .describe("what the networks learn: a mean and a variance, or quantiles"),
  members: z.int().min(1).max(50).default(5).describe("networks whose forecasts are averaged"),
  epochs: z.int().min(1).default(20).describe("times through the training windows"),
});

/** Options that say how networks are trained: those of a run are trained already. */
const ofFile = ["horizon", "heldOut", "missing", "head", "members", "epochs", "seed"];
const ofRun = ["steps", "csv"];

/** Throws a `UsageError` for an option of the other kind of source. */
export function checkSource(source: string, isRun: boolean, given: ReadonlySet<string>): void {
  const stray = (isRun ? ofFile : ofRun).find((key) => given.has(key));
  if (stray === undefined) return;
  const way =
    stray === "horizon" ? "give --steps" : stray === "steps" ? "give --horizon" : "leave it out";
  throw new UsageError(
    isRun
      ? `${flagOf(stray)} is about a CSV file, and ${source} is a run, which is trained already; ${way}`
      : `${flagOf(stray)} is about a run, and ${source} is a file; ${way}`,
  );
}
