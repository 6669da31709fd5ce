import * as Plot from "@observablehq/plot";
import { checkOptions } from "../checkOptions.ts";

/** A value at a time, in milliseconds since 1970, or in a row. */
export interface Point {
  readonly time: number;
  readonly value: number;
}

/** A forecast with the ends of its intervals, the widest first. */
export interface Band {
  readonly time: number;
  readonly mean: number;
  readonly intervals: readonly {
    readonly level: number;
    readonly lower: number;
    readonly upper: number;
  }[];
  /** Forecasts with one origin are joined by a line. */
  readonly origin: number;
}

/** What `bands` takes. */
export interface BandsOptions {
  readonly points: readonly Point[];
  readonly forecasts: readonly Band[];
  /** What the values are, with the unit: "temp_max". */
  readonly label: string;
  /** What `time` counts: dates unless given, or rows. */
  readonly axis?: "date" | "row";
}

const blue = "#1d4ed8";

/**
 * A plot of a series with forecasts and their intervals as bands, for `figure` of
 * `chronograd/report`. Infinite intervals are left out.
 */
export function bands(options: BandsOptions): Plot.PlotOptions {
  checkOptions("bands", options, ["points", "forecasts", "label", "axis"]);
  const { points, forecasts, label, axis = "date" } = options;
  const placeOf = (time: number) => (axis === "row" ? time : new Date(time));
  const areas = forecasts.flatMap(({ time, intervals, origin }) =>
    intervals
      .filter(({ lower, upper }) => Number.isFinite(upper - lower))
      .map(({ level, lower, upper }) => ({
        date: placeOf(time),
        lower,
        upper,
        z: `${origin} ${level}`,
      })),
  );
  const lines = forecasts.map(({ time, mean, origin }) => ({ date: placeOf(time), mean, origin }));
  const known = points.map(({ time, value }) => ({ date: placeOf(time), value }));
  const levels = (forecasts[0]?.intervals ?? []).map(({ level }) => `${percent(level)} %`);
  const isOne = new Set(forecasts.map(({ origin }) => origin)).size === forecasts.length;
  return {
    x: axis === "row" ? { type: "linear", label: "row" } : { type: "utc", label: null },
    y: { label: null, grid: true, nice: true },
    marks: [
      Plot.areaY(areas, {
        ...{ x: "date", y1: "lower", y2: "upper", z: "z" },
        ...{ fill: blue, fillOpacity: 0.16, curve: "monotone-x" },
      }),
      // One step alone has no area and no line.
      Plot.ruleX(isOne ? areas : [], {
        ...{ x: "date", y1: "lower", y2: "upper" },
        ...{ stroke: blue, strokeOpacity: 0.16, strokeWidth: 5 },
      }),
      Plot.dot(isOne ? lines : [], { x: "date", y: "mean", fill: blue, r: 2 }),
      Plot.lineY(known, { x: "date", y: "value", stroke: "#1c1917", strokeWidth: 1 }),
      Plot.lineY(lines, { x: "date", y: "mean", z: "origin", stroke: blue, strokeWidth: 1.8 }),
      Plot.text(
        [
          `${label}: values black, forecasts blue, ${levels.reverse().join(" and ")} of values in the bands`,
        ],
        { frameAnchor: "top-left", dy: -16, fill: "#57534e", textAnchor: "start" },
      ),
    ],
    marginTop: 32,
  };
}

/** A share as a percentage, without digits that rounding made. */
export const percent = (share: number): string => String(Number((100 * share).toFixed(4)));
