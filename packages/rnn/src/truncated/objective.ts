import type { TruncationOptions } from "./options.ts";
import type { Term } from "./step.ts";

/** The objective of one window: which losses count, how much, and how many tokens that is. */
export interface Objective {
  readonly terms: readonly Term[];
  readonly count: number;
}

/** The losses that the gradient of window (`start`, `end`] is of, unscaled. */
export function objectiveOf(
  { losses, multiplicity, k1, k2 }: TruncationOptions,
  steps: { countAt(t: number): number },
  start: number,
  newFrom: number,
  end: number,
): Objective {
  const first = losses === "new" ? newFrom + 1 : losses === "endpoint" ? end : start + 1;
  const terms: Term[] = [];
  let count = 0;
  for (let t = first; t <= end; t++) {
    terms.push({ t, weight: multiplicity ? 1 / windowsWith(t, k1, k2) : 1 });
    count += steps.countAt(t);
  }
  return { terms, count };
}

/**
 * In how many windows step `t` (from 1) of an endless stream lies: those whose end `j k1` is at
 * least `t` and less than `t + k2`.
 */
function windowsWith(t: number, k1: number, k2: number): number {
  return Math.ceil((t + k2) / k1) - Math.ceil(t / k1);
}

/** A sum over `count` tokens as a mean; 0 over none. */
export function mean(sum: number, count: number): number {
  return count === 0 ? 0 : sum / count;
}

/** Terms of the mean over `count` tokens; of the sum, when that is 1. */
export function meanTerms(terms: readonly Term[], count: number): Term[] {
  return terms.map(({ t, weight }) => ({ t, weight: mean(weight, count) }));
}
