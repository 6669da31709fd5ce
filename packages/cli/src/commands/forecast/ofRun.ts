import { basename, resolve } from "node:path";
import { counted } from "../../command/counted.ts";
import { UsageError } from "../../command/errors.ts";
import type { Io } from "../../command/io.ts";
import { hintFor } from "../../command/nearest.ts";
import { formatTime, later, spacingName } from "../../data/spacing.ts";
import type { TimeSeries } from "../../data/timeSeries.ts";
import { findSeason } from "../../forecast/findSeason.ts";
import { originsIn } from "../../forecast/rolling.ts";
import { createRun } from "../../run/create.ts";
import { loadSeries, type Series } from "../../tasks/csv/table.ts";
import { csvInterface } from "../../tasks/csv/task.ts";
import { trainedModel } from "../../training/model.ts";
import { readSaved } from "../../training/saved.ts";
import type { Trained } from "../../training/task.ts";
import { datesOf } from "./dates.ts";
import type { ForecastOptions } from "./options.ts";
import { leave, seasonName } from "./output.ts";
import { rolledComparison } from "./rolledComparison.ts";
import { allLevels, levelsOf } from "./split.ts";

/** The latest origins of held-out forecasts that count. */
const mostOrigins = 1000;

/** Goes on from the end of the series that a run has learnt, with its own predictions. */
export async function forecastRun(given: ForecastOptions, io: Io): Promise<void> {
  const { source, csv, quantiles = [] } = given;
  const { series, trained } = await loaded(given, io);
  const { file, columns, length, training } = series;
  const column = columnOf(series, source, given.column);
  const values = series.values[columns.indexOf(column)]!;
  const { times, spacing, why } = datesOf(series.table, given.date);
  const found = given.season ?? findSeason(values, spacing);
  const isTooLong = training < 2 * found + 17;
  if (isTooLong && given.season !== undefined && given.season > 1) {
    throw new UsageError(
      `--season: ${found} steps need ${2 * found + 17} values before those that are held out, got ${training}; give a shorter one, or 1 for none`,
    );
  }
  const season = isTooLong ? 1 : found;
  const steps = given.steps ?? (season > 1 && season <= 36 ? season : 7);
  const origins = originsIn(training, length, steps).slice(-mostOrigins);
  const levels = levelsFor(file, origins.length, { interval: given.interval, quantiles });
  io.say(
    `${file}, ${column}: ${counted(length, "value")}, ${spacingName(spacing)}, ${formatTime(times[0]!, spacing)} to ${formatTime(times.at(-1)!, spacing)}; ${seasonName(season)}`,
  );
  if (why !== undefined) io.say(why);
  if (levels.length === 0) {
    io.say(
      `The held-out part has ${counted(length - training, "row")}, too few for intervals of ${counted(steps, "step")}: the forecasts have none.`,
    );
  }
  const comparison = rolledComparison(trained, series, {
    ...{ name: basename(resolve(source)), column, origins, steps, season },
    levels: allLevels(levels, quantiles),
  });
  const dates = Array.from({ length: steps }, (_, h) => later(times.at(-1)!, spacing, h + 1));
  const timed: TimeSeries = { file, spacing, times, values: { [column]: values }, filled: 0 };
  const facts = [`the model of ${basename(resolve(source))}, which reads its own predictions`];
  const run = await createRun({
    ...given,
    kind: "forecast",
    options: { source: resolve(source), ...(csv && { csv: resolve(csv) }), column, steps },
  });
  try {
    const shown = { column, season, horizon: steps, levels, quantiles, dates, comparison, facts };
    await leave(run, { ...shown, series: timed }, io);
  } finally {
    run.close();
  }
}

/** The model of a run, and the series that it goes on from. */
async function loaded(
  { source, csv }: ForecastOptions,
  io: Io,
): Promise<{ readonly series: Series; readonly trained: Trained }> {
  const { options, checkpoint } = await readSaved(source, io.say);
  const { task: kept, params, digest } = checkpoint;
  if (kept.task !== "csv" || options.csv === undefined) {
    throw new UsageError(
      kept.task === "text"
        ? `${source} is a run on a text; chronograd generate ${source} goes on with it`
        : `${source} is a run on a module, whose inputs beyond its end are not known; forecast takes a run of train --csv`,
    );
  }
  const series = await loadSeries({ ...options, csv: csv ?? options.csv }, kept);
  if (csv === undefined && series.digest !== digest) {
    throw new UsageError(
      `${series.file} has other data than ${source} has learnt; restore it, or name the file with --csv`,
    );
  }
  const model = await trainedModel(source, options, csvInterface(kept.columns), params);
  return { series, trained: { model, params } };
}

/** The column to show: that which is named, or the only one. */
function columnOf({ columns }: Series, run: string, name: string | undefined): string {
  if (name === undefined && columns.length === 1) return columns[0]!;
  if (name !== undefined && columns.includes(name)) return name;
  throw new UsageError(
    name === undefined
      ? `${run} predicts ${columns.length} columns; choose one with --column: ${columns.join(", ")}`
      : `--column: ${run} predicts no "${name}"${hintFor(name, columns, ";")} it predicts ${columns.join(", ")}`,
  );
}

/** The usual levels as far as they can be had, perhaps none; those asked for, or a sentence. */
function levelsFor(
  file: string,
  scores: number,
  asked: {
    readonly interval: readonly number[] | undefined;
    readonly quantiles: readonly number[];
  },
): readonly number[] {
  const isAsked = asked.interval !== undefined || asked.quantiles.length > 0;
  try {
    return levelsOf(file, scores, asked, "fewer --steps");
  } catch (error) {
    if (isAsked) throw error;
    return [];
  }
}
