import { counted } from "../../command/counted.ts";
import { UsageError } from "../../command/errors.ts";
import { percent } from "../../forecast/bands.ts";

/** What the parts of a series depend on. */
export interface SplitOptions {
  readonly season: number;
  readonly horizon: number;
  readonly heldOut?: number | undefined;
  /** Percentages of intervals; 80 and 95 as far as they can be had, unless given. */
  readonly interval?: readonly number[] | undefined;
  readonly quantiles: readonly number[];
}

/** The parts of a series, and what its intervals are to hold. */
export interface Split {
  /** Where the values begin that calibrate, as many as those of the test. */
  readonly validation: number;
  readonly test: number;
  /** Shares of values, the largest first. */
  readonly levels: readonly number[];
}

/** Divides a series. Throws a `UsageError` where it is too short for what is asked. */
export function splitOf(
  file: string,
  length: number,
  { season, horizon, heldOut, interval, quantiles }: SplitOptions,
): Split {
  const part = heldOut ?? Math.max(2 * horizon, Math.round(length / 5));
  const [validation, test] = [length - 2 * part, length - part];
  // The network needs windows after the lags, at most an eighth each, or after two short seasons.
  const before = season > 1 && season <= 36 ? 2 * season : 0;
  const least = Math.ceil(Math.max((horizon + 40) / 0.7, (horizon + 20 + before) / 0.87));
  if (validation < least) {
    throw new UsageError(
      `${file} has ${counted(length, "value")}, of which ${Math.max(0, validation)} are left to train on, expected at least ${least}; give a smaller --horizon, --held-out or --season`,
    );
  }
  if (part < horizon) {
    throw new UsageError(
      `--held-out: ${counted(part, "step")} ${part === 1 ? "is" : "are"} less than the horizon of ${horizon}`,
    );
  }
  if (season > 1 && test < 2 * season + 17) {
    throw new UsageError(
      `--season: ${season} steps need ${2 * season + 17} values before those that are held out, got ${test}; give a shorter one, or 1 for none`,
    );
  }
  const levels = levelsOf(file, part - horizon + 1, { interval, quantiles }, "a larger --held-out");
  return { validation, test, levels };
}

/**
 * The shares that intervals are to hold, the largest first: those that are asked for, or as many of
 * the usual ones as so many errors can calibrate. Throws a `UsageError` where there is none.
 *
 * @param more the option that gives more errors
 */
export function levelsOf(
  file: string,
  scores: number,
  { interval, quantiles }: Pick<SplitOptions, "interval" | "quantiles">,
  more: string,
): readonly number[] {
  const isPossible = (level: number) => Math.ceil((scores + 1) * level - 1e-9) <= scores;
  const asked = (interval ?? [80, 95]).map((percentage) => percentage / 100);
  const possible = interval === undefined ? asked.filter(isPossible) : asked;
  const levels = [...new Set(possible)].sort((a, b) => b - a);
  const widest = Math.max(levels[0] ?? asked[0]!, ...quantiles.map((q) => Math.abs(2 * q - 1)));
  if (!isPossible(widest)) {
    throw new UsageError(
      `${file}: intervals of ${percent(widest)} % need more than the ${counted(scores, "error")} that calibrate them; give a lower --interval or ${more}`,
    );
  }
  return levels;
}

/** Shares of intervals, and those whose ends are quantiles. */
export function allLevels(levels: readonly number[], quantiles: readonly number[]): number[] {
  return [...levels, ...quantiles.map((q) => Math.abs(2 * q - 1)).filter((level) => level > 0)];
}
