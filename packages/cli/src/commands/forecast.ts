import { existsSync, statSync } from "node:fs";
import { type Command, defineCommand } from "../command/define.ts";
import { forecastFile } from "./forecast/ofFile.ts";
import { forecastRun } from "./forecast/ofRun.ts";
import { checkSource, forecastOptions } from "./forecast/options.ts";

/** `chronograd forecast`. */
export const forecast: Command = defineCommand({
  name: "forecast",
  summary: "Forecasts a column of a CSV file, or goes on from the end of that of a run.",
  options: forecastOptions,
  positionals: [
    {
      name: "source",
      description: "a CSV file with dates and numbers, or the folder of a run on a CSV file",
      required: true,
    },
  ],
  examples: [
    "chronograd forecast weather.csv --column temp_max --horizon 7",
    "chronograd forecast co2.csv --missing interpolate --season 12 --interval 50,90",
    "chronograd forecast runs/gru-32-1 --column temp_max --steps 14",
  ],
  async run(options, io, given) {
    const { source } = options;
    const isRun = existsSync(source) && statSync(source).isDirectory();
    checkSource(source, isRun, given);
    await (isRun ? forecastRun : forecastFile)(options, io);
  },
});
