import { counted } from "../../command/counted.ts";
import type { Io } from "../../command/io.ts";
import { formatTime } from "../../data/spacing.ts";
import type { TimeSeries } from "../../data/timeSeries.ts";
import { type Band, bands, percent } from "../../forecast/bands.ts";
import type { Comparison } from "../../forecast/compare.ts";
import { escapeHtml } from "../../report/escape.ts";
import { figure } from "../../report/figure.ts";
import { page } from "../../report/page.ts";
import type { RunFolder } from "../../run/folder.ts";

/** Everything that a forecast's output shows. */
export interface Shown {
  readonly series: TimeSeries;
  readonly column: string;
  readonly season: number;
  readonly horizon: number;
  /** Of the intervals, the widest first. */
  readonly levels: readonly number[];
  readonly quantiles: readonly number[];
  /** Times of the steps after the end. */
  readonly dates: readonly number[];
  readonly comparison: Comparison;
  /** Lines of the report about what forecasts, beside those about the data. */
  readonly facts: readonly string[];
}

/** What the forecasts are numbered by. */
const unitOf = ({ series }: Shown): "row" | "date" =>
  series.spacing.unit === "row" ? "row" : "date";

/** Digits that show a thousandth of a series' spread. */
function formatOf(values: Float64Array): (x: number) => string {
  const spread = Math.max(...values) - Math.min(...values) || 1;
  const digits = Math.max(0, 3 - Math.floor(Math.log10(spread)));
  return (x) => (digits > 12 ? x.toExponential(3) : x.toFixed(digits));
}

/** The errors beside the baselines, and the coverage; nothing where no value was held out. */
function scoresOf({ series, column, horizon, levels, comparison }: Shown): string[] {
  const { recurrent, baselines, intervals, forecasts } = comparison;
  const format = formatOf(series.values[column]!);
  const rows = [recurrent, ...baselines].map(({ name, rmse }) => [name, format(rmse)]);
  const width = Math.max(...rows.map(([name]) => name!.length));
  if (forecasts.length === 1) return [];
  return [
    `Held out, ${counted(horizon, "step")} ahead from each of ${counted(forecasts.length - 1, "origin")}, RMSE:`,
    ...rows.map(([name, rmse]) => `  ${name!.padEnd(width)}  ${rmse}`),
    ...intervals
      .slice(0, levels.length)
      .filter(({ coverage }) => !Number.isNaN(coverage))
      .map(
        ({ level, coverage }) =>
          `Intervals of ${percent(level)} % held ${(100 * coverage).toFixed(1)} %.`,
      ),
  ];
}

/** A season in words. */
export const seasonName = (season: number): string =>
  season > 1 ? `a season of ${counted(season, "step")}` : "no season";

/** Lines for the terminal: errors beside the baselines, coverage, forecasts. */
export function tableOf(shown: Shown): string[] {
  const { series, column, levels, dates, comparison } = shown;
  const { intervals, forecasts } = comparison;
  const format = formatOf(series.values[column]!);
  const last = forecasts.at(-1)!;
  return [
    ...scoresOf(shown),
    "Forecast:",
    ...dates.map((time, h) => {
      const ends = intervals
        .slice(0, levels.length)
        .reverse()
        .map(
          ({ intervals: all }) =>
            `[${format(all.at(-1)!.lower[h]!)}, ${format(all.at(-1)!.upper[h]!)}]`,
        );
      return `  ${formatTime(time, series.spacing)}  ${format(last.mean[h]!)}  ${ends.join("  ")}`.trimEnd();
    }),
  ];
}

/** The forecast as a CSV file: date, mean, ends of intervals, quantiles. */
export function csvOf(shown: Shown): string {
  const { series, levels, quantiles, dates, comparison } = shown;
  const { intervals, forecasts } = comparison;
  const mean = forecasts.at(-1)!.mean;
  const ends = (level: number) => intervals.find((each) => each.level === level)!.intervals.at(-1)!;
  const ofQuantile = (q: number, h: number) => {
    const level = Math.abs(2 * q - 1);
    return level === 0 ? mean[h]! : ends(level)[q < 0.5 ? "lower" : "upper"][h]!;
  };
  const names = levels.flatMap((level) => [`lower_${percent(level)}`, `upper_${percent(level)}`]);
  const head = [unitOf(shown), "forecast", ...names, ...quantiles.map((q) => `quantile_${q}`)];
  const lines = dates.map((time, h) => [
    formatTime(time, series.spacing),
    mean[h],
    ...levels.flatMap((level) => [ends(level).lower[h], ends(level).upper[h]]),
    ...quantiles.map((q) => ofQuantile(q, h)),
  ]);
  return `${[head, ...lines].map((line) => line.join(",")).join("\n")}\n`;
}

/** Forecasts from some origins as bands. */
function bandsOf({ series, levels, dates, comparison }: Shown, chosen: readonly number[]): Band[] {
  const { forecasts, intervals } = comparison;
  return chosen.flatMap((i) => {
    const { origin, mean } = forecasts[i]!;
    return [...mean].map((x, h) => ({
      time: series.times[origin + h] ?? dates[origin + h - series.times.length]!,
      mean: x,
      origin,
      intervals: intervals.slice(0, levels.length).map(({ level, intervals: all }) => ({
        ...{ level, lower: all[i]!.lower[h]!, upper: all[i]!.upper[h]! },
      })),
    }));
  });
}

/** The picture of the forecast, and the page with it. */
export function reportOf(shown: Shown): { readonly plot: string; readonly html: string } {
  const { series, column, season, horizon, comparison } = shown;
  const { forecasts } = comparison;
  const values = series.values[column]!;
  const pointsFrom = (from: number) =>
    Array.from({ length: values.length - from }, (_, i) => ({
      time: series.times[from + i]!,
      value: values[from + i]!,
    }));
  const part = { label: column, axis: unitOf(shown) };
  const end = forecasts.length - 1;
  const recent = Math.max(0, values.length - Math.max(6 * horizon, Math.min(3 * season, 120)));
  const plot = figure(
    bands({ ...part, points: pointsFrom(recent), forecasts: bandsOf(shown, [end]) }),
  );
  // Forecasts that follow each other, up to the end of what is known.
  const apart = forecasts
    .slice(0, end)
    .flatMap((_, i) => (i % horizon === (end - 1) % horizon ? [i] : []));
  const some = apart.slice(-Math.ceil(160 / horizon));
  const from = Math.max(0, (forecasts[some[0] ?? 0]?.origin ?? 0) - 2 * horizon);
  const heldOut = figure(
    bands({ ...part, points: pointsFrom(from), forecasts: bandsOf(shown, some) }),
  );
  const table = `<pre>${tableOf(shown).map(escapeHtml).join("\n")}</pre>`;
  const html = page({
    title: `Forecast of ${column}`,
    facts: [
      `${series.file}: ${counted(values.length, "value")}`,
      seasonName(season),
      ...shown.facts,
    ],
    sections: [
      { heading: "What comes", html: plot },
      ...(end === 0
        ? []
        : [
            {
              heading: "What would have been forecast",
              note: "Values that no model was fitted to, and forecasts from origins one horizon apart.",
              html: heldOut,
            },
          ]),
      { heading: "Figures", html: table },
    ],
  });
  return { plot, html };
}

/** Prints a forecast, and writes its files into a new run folder. */
export async function leave(run: RunFolder, shown: Shown, io: Io): Promise<void> {
  for (const line of tableOf(shown)) io.say(line);
  const { plot, html } = reportOf(shown);
  await run.write("forecast.csv", csvOf(shown));
  await run.write("forecast.svg", plot);
  await run.write("report.html", html);
  io.say(`forecast.csv, forecast.svg and report.html are in ${run.path}.`);
  const { series, season, horizon, levels, dates, comparison } = shown;
  const { recurrent, baselines, intervals, forecasts } = comparison;
  const shownIntervals = intervals.slice(0, levels.length);
  io.result({
    run: run.path,
    season,
    horizon,
    rmse: Object.fromEntries([recurrent, ...baselines].map(({ name, rmse }) => [name, rmse])),
    coverage: shownIntervals.map(({ level, coverage }) => ({ level, coverage })),
    forecast: dates.map((time, h) => ({
      [unitOf(shown)]: formatTime(time, series.spacing),
      mean: forecasts.at(-1)!.mean[h],
      intervals: shownIntervals.map(({ level, intervals: all }) => ({
        ...{ level, lower: all.at(-1)!.lower[h], upper: all.at(-1)!.upper[h] },
      })),
    })),
  });
}
