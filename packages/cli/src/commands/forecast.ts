import * as z from "zod";
import { type Command, defineCommand } from "../command/define.ts";
import { RunError } from "../command/errors.ts";
import { runFlags } from "../command/runFlags.ts";
import { readCsv } from "../data/csv.ts";
import { formatTime, later, spacingName } from "../data/spacing.ts";
import { timeSeries } from "../data/timeSeries.ts";
import { compare } from "../forecast/compare.ts";
import { findSeason } from "../forecast/findSeason.ts";
import { createRun } from "../run/create.ts";
import { chosenColumns } from "./forecast/columns.ts";
import { csvOf, reportOf, tableOf } from "./forecast/output.ts";
import { splitOf } from "./forecast/split.ts";

const share = z.number().gt(0).lt(100);
const options = z.object({
  ...runFlags,
  file: z.string().describe("a CSV file with dates and numbers"),
  date: z
    .string()
    .optional()
    .describe("the column of dates; the first that holds dates unless given")
    .meta({ value: "NAME" }),
  column: z
    .string()
    .optional()
    .describe("the column to forecast; needed where more than one holds numbers")
    .meta({ value: "NAME" }),
  horizon: z.int().min(1).optional().describe("steps to forecast; a season of at most 36, or 7"),
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

/** `chronograd forecast`. */
export const forecast: Command = defineCommand({
  name: "forecast",
  summary: "Forecasts a column of a CSV file, with intervals, and compares with baselines.",
  options,
  positionals: [{ name: "file", description: "a CSV file with dates and numbers", required: true }],
  examples: [
    "chronograd forecast weather.csv --column temp_max --horizon 7",
    "chronograd forecast co2.csv --missing interpolate --season 12 --interval 50,90",
  ],
  async run(given, io) {
    const table = await readCsv(given.file);
    const { date, column } = chosenColumns(table, given);
    const series = timeSeries(table, { date, columns: [column], missing: given.missing });
    const values = series.values[column]!;
    const season = given.season ?? findSeason(values, series.spacing);
    const horizon = given.horizon ?? (season > 1 && season <= 36 ? season : 7);
    const quantiles = given.quantiles ?? [];
    const parts = splitOf(series.file, values.length, { ...given, season, horizon, quantiles });
    const { levels, ...split } = parts;
    io.say(
      `${series.file}, ${column}: ${values.length} values, ${spacingName(series.spacing)}, ${formatTime(series.times[0]!, series.spacing)} to ${formatTime(series.times.at(-1)!, series.spacing)}${series.filled > 0 ? `, ${series.filled} of them filled` : ""}; ${season > 1 ? `a season of ${season}` : "no season"}`,
    );
    const run = await createRun({ ...given, kind: "forecast", options: given });
    const progress = io.progress({ total: 2 * given.members * given.epochs, unit: "epochs" });
    const comparison = compare(values, {
      ...split,
      season,
      period: season === 365 ? 365.25 : season,
      horizon,
      levels: [
        ...levels,
        ...quantiles.map((q) => Math.abs(2 * q - 1)).filter((level) => level > 0),
      ],
      seed: given.seed,
      head: given.head,
      members: given.members,
      epochs: given.epochs,
      onEpoch(done, _total, loss) {
        progress.update(done, `loss ${loss.toFixed(3)}`);
        run.log({ epoch: done, loss });
        return io.stopping();
      },
    });
    progress.stop();
    if (io.stopping()) {
      run.close();
      throw new RunError("stopped before the networks were trained; nothing was forecast");
    }
    const { spacing, times } = series;
    const dates = Array.from({ length: horizon }, (_, h) => later(times.at(-1)!, spacing, h + 1));
    const shown = { series, column, season, horizon, levels, quantiles, dates, comparison, split };
    for (const line of tableOf(shown)) io.say(line);
    const { plot, html } = reportOf(shown, given.seed);
    await run.write("forecast.csv", csvOf(shown));
    await run.write("forecast.svg", plot);
    await run.write("report.html", html);
    run.close();
    io.say(`forecast.csv, forecast.svg and report.html are in ${run.path}.`);
    const { recurrent, baselines, intervals, forecasts } = comparison;
    io.result({
      run: run.path,
      season,
      horizon,
      rmse: Object.fromEntries([recurrent, ...baselines].map(({ name, rmse }) => [name, rmse])),
      coverage: intervals
        .slice(0, levels.length)
        .map(({ level, coverage }) => ({ level, coverage })),
      forecast: dates.map((time, h) => ({
        date: formatTime(time, spacing),
        mean: forecasts.at(-1)!.mean[h],
        intervals: intervals.slice(0, levels.length).map(({ level, intervals: all }) => ({
          ...{ level, lower: all.at(-1)!.lower[h], upper: all.at(-1)!.upper[h] },
        })),
      })),
    });
  },
});
