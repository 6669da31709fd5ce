import { type Plan, windowsWith } from "./options.ts";
import type { Term } from "./segment.ts";

/** The objective of one window: which losses count, how much, and how many tokens that is. */
export interface Objective {
  readonly terms: readonly Term[];
  readonly count: number;
}

/** Tells how many tokens each step counts. */
interface Steps {
  countAt(t: number): number;
}

/** The losses that the gradient of window (`start`, `end`] is of, unscaled. */
export function objectiveOf(
  plan: Pick<Plan<never, never, never>, "losses" | "multiplicity" | "k1" | "k2">,
  steps: Steps,
  start: number,
  newFrom: number,
  end: number,
): Objective {
  const first = plan.losses === "new" ? newFrom + 1 : plan.losses === "endpoint" ? end : start + 1;
  const terms: Term[] = [];
  let count = 0;
  for (let t = first; t <= end; t++) {
    terms.push({ t, weight: plan.multiplicity ? 1 / windowsWith(t, plan.k1, plan.k2) : 1 });
    count += steps.countAt(t);
  }
  return { terms, count };
}

/** A sum over `count` tokens as a mean; 0 over none. */
export function mean(sum: number, count: number): number {
  return count === 0 ? 0 : sum / count;
}

/** Terms of the mean over `count` tokens; of the sum, when that is 1. */
export function meanTerms(terms: readonly Term[], count: number): Term[] {
  return terms.map(({ t, weight }) => ({ t, weight: mean(weight, count) }));
}
