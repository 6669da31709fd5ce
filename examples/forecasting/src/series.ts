import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Rng, rng } from "@chronograd/nn";
import { UsageError } from "chronograd/command";
import { readCsv, type TimeSeries, timeSeries } from "chronograd/data";

/** A series, and what of it is to be forecast. */
export interface Task {
  readonly title: string;
  readonly column: string;
  readonly unit: string;
  readonly series: TimeSeries;
  readonly season: number;
  /** Steps of a year where they are no whole number. */
  readonly period?: number;
  readonly horizon: number;
  /** Where the years begin that calibrate the intervals, and those that are held out. */
  readonly validation: number;
  readonly test: number;
}

/** The place of a day in a series. */
const placeOf = ({ times }: TimeSeries, day: string) => times.indexOf(Date.parse(`${day}Z`));

/** The two files of `vega-datasets`, of the package or in another folder. */
export async function vegaTasks(data: string | undefined): Promise<Task[]> {
  const entry = fileURLToPath(import.meta.resolve("vega-datasets"));
  const folder = data ?? join(dirname(entry), "../data");
  if (!existsSync(join(folder, "seattle-weather.csv"))) {
    throw new UsageError(
      `${folder} has no seattle-weather.csv; \`npm install vega-datasets\` brings it, in its folder data`,
    );
  }
  const weather = timeSeries(await readCsv(join(folder, "seattle-weather.csv")), {
    date: "date",
    columns: ["temp_max"],
  });
  // Five months of 746 are not in the file, all before 1965.
  const carbon = timeSeries(await readCsv(join(folder, "co2-concentration.csv")), {
    date: "Date",
    columns: ["CO2"],
    missing: "interpolate",
  });
  return [
    {
      ...{ title: "Highest temperature of a day in Seattle", column: "temp_max", unit: "°C" },
      ...{ series: weather, season: 365, period: 365.25, horizon: 7 },
      validation: placeOf(weather, "2014-01-01"),
      test: placeOf(weather, "2015-01-01"),
    },
    {
      ...{ title: "Carbon dioxide on Mauna Loa", column: "CO2", unit: "ppm" },
      ...{ series: carbon, season: 12, horizon: 12 },
      validation: placeOf(carbon, "2000-01-01"),
      test: placeOf(carbon, "2010-01-01"),
    },
  ];
}

/** Hours with a daily wave and noise, in the place of the files. */
export function smokeTasks(random: Rng = rng(1, "smoke")): Task[] {
  const times = Float64Array.from({ length: 200 }, (_, t) => 3_600_000 * t);
  const load = times.map((_, t) => 20 + 3 * Math.sin((t * Math.PI) / 12) + 0.3 * random.normal());
  const spacing = { unit: "hour", count: 1 } as const;
  return [
    {
      ...{ title: "A daily wave made by code", column: "load", unit: "MW" },
      series: { file: "smoke", spacing, times, values: { load }, filled: 0 },
      ...{ season: 24, horizon: 4, validation: 100, test: 150 },
    },
  ];
}
