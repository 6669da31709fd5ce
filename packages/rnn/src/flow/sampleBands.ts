import type { Rng } from "@chronograd/nn";
import { type Bands, type Course, sweepBands } from "./bands.ts";

/** How windows are drawn. */
export interface Sampling {
  readonly k1: number;
  /** Ascending. */
  readonly k2s: readonly number[];
  readonly samples: number;
  readonly draws: Rng;
  /** Steps beyond the largest k2 that every sweep goes, and again in the mean beyond those. */
  readonly horizon: number;
}

/**
 * Bands of windows that are drawn independently and uniformly, times the number of windows: each
 * is, in expectation, the band of the whole stream. A sweep goes back `k2 + horizon` steps, and
 * survives each further one with probability c = horizon / (1 + horizon), which makes horizon steps
 * in the mean; the m-th of them has the weight c^-m (Tallec & Ollivier 2017).
 */
export function sampleBands<Params, State, X, Y, Target>(
  course: Course<Params, State, X, Y, Target>,
  { k1, k2s, samples, draws, horizon }: Sampling,
): Bands[] {
  const T = course.trajectory.length;
  const windows = Math.ceil(T / k1);
  const survival = horizon / (1 + horizon);
  return Array.from({ length: samples }, () => {
    const from = draws.integer(0, windows) * k1;
    const to = Math.min(from + k1, T);
    // The largest m with u < c^m: it is at least m with probability c^m.
    const more = Math.floor(Math.log(1 - draws.uniform()) / Math.log(survival));
    const cut = to - k2s.at(-1)! - horizon;
    const weightOf = (t: number) => {
      const beyond = cut + 1 - t;
      return beyond <= 0 ? 1 : beyond > more ? 0 : survival ** -beyond;
    };
    const { vectors, losses } = sweepBands(course, { k1, k2s, from, to, weightOf });
    for (const vector of vectors) for (let i = 0; i < vector.length; i++) vector[i]! *= windows;
    return { vectors, losses };
  });
}
