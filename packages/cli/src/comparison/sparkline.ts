import { meanOf } from "../data/moments.ts";
import { parts } from "./parts.ts";

const levels = [..."▁▂▃▄▅▆▇█"];

/** The means of so many parts of a list, each as long as the others. */
export function binned(values: readonly number[], bins: number): number[] {
  return parts(values, bins).map(meanOf);
}

/**
 * Values as a line of blocks, from the lowest to the highest of `range`.
 *
 * @param range the values' own unless given, such as that of several lines
 */
export function sparkline(values: readonly number[], range: readonly number[] = values): string {
  const low = Math.min(...range);
  const high = Math.max(...range);
  const levelOf = (value: number) =>
    high === low ? 0 : Math.round(((value - low) / (high - low)) * (levels.length - 1));
  return values.map((value) => levels[levelOf(value)]).join("");
}
