import type { Estimate } from "./gradientBias.ts";

/** A k2 and its bias. */
export interface Rung {
  readonly k2: number;
  readonly relativeError: Estimate;
}

/** How many k2 are measured in one pass. */
const rungs = 16;

/**
 * The smallest k2 from k1 to `most` whose interval ends below the tolerance, as do those of all
 * larger ones that were measured: first on a geometric ladder, then between its rungs.
 */
export function smallestWindow(
  k1: number,
  most: number,
  tolerance: number,
  measure: (k2s: readonly number[]) => Rung[],
): { readonly chosen: Rung | undefined; readonly measured: Rung[] } {
  const measured = measure(ladder(k1, most));
  for (;;) {
    measured.sort((a, b) => a.k2 - b.k2);
    const failed = measured.findLastIndex(({ relativeError: { high } }) => {
      return high === null || !(high < tolerance);
    });
    const chosen = measured[failed + 1];
    if (chosen === undefined) return { chosen, measured };
    const below = failed === -1 ? chosen.k2 - 1 : measured[failed]!.k2;
    const between = inEqualSteps(below, chosen.k2);
    if (between.length === 0) return { chosen, measured };
    measured.push(...measure(between));
  }
}

/** Whole numbers from k1 to `most`, the larger ones in a geometric row. */
function ladder(k1: number, most: number): number[] {
  const k2s = Array.from({ length: rungs }, (_, i) => {
    return Math.round(k1 * (most / k1) ** (i / (rungs - 1)));
  });
  return [...new Set(k2s)];
}

/** At most so many whole numbers between two, in steps that are as equal as can be. */
function inEqualSteps(low: number, high: number): number[] {
  const count = Math.min(rungs, high - low - 1);
  return Array.from({ length: count }, (_, i) => {
    return Math.round(low + ((high - low) * (i + 1)) / (count + 1));
  });
}
