import { type Batch, jackknife, meansOf } from "../statistics/jackknife.ts";
import { type Course, sweepBands } from "./bands.ts";
import type { Estimate } from "./gradientBias.ts";
import { lengthOf } from "./orthonormal.ts";

/** Steps `start < t <= end` whose losses belong together. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Steps from one to another as `count` stretches that begin with a window of k1 steps. */
export function stretchesOf(from: number, to: number, k1: number, count: number): Stretch[] {
  const cuts = Array.from({ length: count + 1 }, (_, i) => {
    return i === count ? to : from + k1 * Math.round(((to - from) * i) / count / k1);
  });
  return cuts.slice(1).map((end, i) => ({ start: cuts[i]!, end }));
}

/** The relative error for one k2. */
export interface MeasuredWindow {
  readonly k2: number;
  /** |G_k - G| / |G| over all stretches; its interval is the jackknife's over them. */
  readonly relativeError: Estimate;
  /** That of each stretch alone; `null` where the gradient of its losses is 0. */
  readonly each: readonly (number | null)[];
}

/**
 * The relative error of truncation for several k2, ascending, on some stretches: of their losses,
 * with all steps of the trajectory before them.
 */
export function measureStretches<Params, State, X, Y, Target>(
  course: Course<Params, State, X, Y, Target>,
  stretches: readonly Stretch[],
  k1: number,
  k2s: readonly number[],
): { readonly measured: MeasuredWindow[]; readonly losses: number } {
  const all = stretches.map(({ start, end }) => {
    return sweepBands(course, { k1, k2s, from: start, to: end });
  });
  const size = all[0]!.vectors[0]!.length;
  const measured = k2s.map((k2, index): MeasuredWindow => {
    // What the window leaves out, and all, one after the other.
    const batches = all.map(({ vectors }, i): Batch => {
      const sums = new Float64Array(2 * size);
      for (const [band, vector] of vectors.entries()) {
        for (let p = 0; p < size; p++) {
          if (band > index) sums[p]! += vector[p]!;
          sums[size + p]! += vector[p]!;
        }
      }
      return { sums, count: stretches[i]!.end - stretches[i]!.start };
    });
    const value = ratioOf(meansOf(batches));
    const [low, high] = jackknife(batches, ratioOf)?.interval ?? [value, value];
    return {
      k2,
      relativeError: Number.isNaN(value)
        ? { value: null, low: null, high: null }
        : { value, low: Math.max(0, low), high },
      each: batches.map((batch) => {
        const own = ratioOf(batch.sums);
        return Number.isNaN(own) ? null : own;
      }),
    };
  });
  return { measured, losses: all.reduce((sum, { losses }) => sum + losses, 0) };
}

/** The norm of the first half of a vector, divided by that of the second; NaN where that is 0. */
function ratioOf(vector: Float64Array): number {
  const half = vector.length / 2;
  const full = lengthOf(vector.subarray(half));
  return full === 0 ? Number.NaN : lengthOf(vector.subarray(0, half)) / full;
}
