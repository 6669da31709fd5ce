import type { Measured } from "./measure.ts";
import { median } from "./statistics.ts";

/** With fewer rounds in common than this, medians are compared. */
const fewRounds = 3;

/**
 * How many times as fast `ours` is as `theirs`: the median, over the rounds in which both had a
 * turn, of their times' ratio. A machine that is slow for a while slows both turns of a pair.
 */
export function ratioOf(
  theirs: Pick<Measured, "rounds" | "median_ms">,
  ours: Pick<Measured, "rounds" | "median_ms">,
): number {
  const ratios = [...ours.rounds].flatMap(([round, ms]) => {
    const other = theirs.rounds.get(round);
    return other === undefined ? [] : [other / ms];
  });
  return ratios.length < fewRounds ? theirs.median_ms / ours.median_ms : median(ratios);
}

/** The fastest of some results. */
export function fastest<R extends Pick<Measured, "median_ms">>(
  results: readonly (R | undefined)[],
): R | undefined {
  return results
    .filter((result) => result !== undefined)
    .reduce<R | undefined>(
      (best, result) => (best === undefined || result.median_ms < best.median_ms ? result : best),
      undefined,
    );
}
