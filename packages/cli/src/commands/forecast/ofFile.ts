import { RunError } from "../../command/errors.ts";
import type { Io } from "../../command/io.ts";
import { readCsv } from "../../data/csv.ts";
import { formatTime, later, spacingName } from "../../data/spacing.ts";
import { timeSeries } from "../../data/timeSeries.ts";
import { compare, periodOf } from "../../forecast/compare.ts";
import { findSeason } from "../../forecast/findSeason.ts";
import { createRun } from "../../run/create.ts";
import { chosenColumns } from "./columns.ts";
import type { ForecastOptions } from "./options.ts";
import { leave, seasonName } from "./output.ts";
import { allLevels, splitOf } from "./split.ts";

/** Trains networks on a column of a CSV file, and forecasts it. */
export async function forecastFile(given: ForecastOptions, io: Io): Promise<void> {
  const table = await readCsv(given.source);
  const { date, column } = chosenColumns(table, given);
  const series = timeSeries(table, { date, columns: [column], missing: given.missing });
  const values = series.values[column]!;
  const { spacing, times } = series;
  const season = given.season ?? findSeason(values, spacing);
  const horizon = given.horizon ?? (season > 1 && season <= 36 ? season : 7);
  const quantiles = given.quantiles ?? [];
  const parts = splitOf(series.file, values.length, { ...given, season, horizon, quantiles });
  const { levels, ...split } = parts;
  io.say(
    `${series.file}, ${column}: ${values.length} values, ${spacingName(spacing)}, ${formatTime(times[0]!, spacing)} to ${formatTime(times.at(-1)!, spacing)}${series.filled > 0 ? `, ${series.filled} of them filled` : ""}; ${seasonName(season)}`,
  );
  const { seed, head, members, epochs } = given;
  const run = await createRun({ ...given, kind: "forecast", options: { ...given } });
  try {
    const progress = io.progress({ total: 2 * members * epochs, unit: "epochs" });
    const comparison = compare(values, {
      ...split,
      ...{ season, period: periodOf(season), horizon, seed, head, members, epochs },
      levels: allLevels(levels, quantiles),
      onEpoch(done, _total, loss) {
        progress.update(done, `loss ${loss.toFixed(3)}`);
        run.log({ epoch: done, loss });
        return io.stopping();
      },
    });
    progress.stop();
    if (io.stopping()) {
      throw new RunError("stopped before the networks were trained; nothing was forecast");
    }
    const dates = Array.from({ length: horizon }, (_, h) => later(times.at(-1)!, spacing, h + 1));
    const facts = [`seed ${seed}`];
    const shown = { series, column, season, horizon, levels, quantiles, dates, comparison, facts };
    await leave(run, shown, io);
  } finally {
    run.close();
  }
}
