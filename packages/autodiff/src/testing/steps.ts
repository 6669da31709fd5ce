import { type Differences, differences, safety } from "./differences.ts";

/**
 * The nearest power of two: what is moved by such a step is moved exactly, unless it gets another
 * exponent.
 */
function powerOfTwo(x: number): number {
  return 2 ** Math.max(-1000, Math.round(Math.log2(x)));
}

/**
 * How far each element of a tensor may be moved: by its own size, but at least by a 64th of the
 * largest's, and by 1 where all are 0.
 */
export function lengthsOf(values: ArrayLike<number>): Float64Array {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]!)) most = Math.max(most, Math.abs(values[i]!));
  }
  if (most === 0) most = 64;
  return Float64Array.from({ length: values.length }, (_, i) => {
    const own = Math.abs(values[i]!);
    return powerOfTwo(own > most / 64 && own < Infinity ? own : most / 64);
  });
}

/**
 * Powers of two to try a length at, after the first: larger where rounding hides the derivative,
 * smaller next to a pole.
 */
const larger = [-7, -4];
const smaller = [-13, -16, -19, -22, -28, -34, -40, -46];

/**
 * The steps to try for one element `x` of a length, in order: the first, relative to the length,
 * settles most derivatives.
 */
export function stepsFor(x: number, length: number, first: number = 2 ** -10): number[] {
  const own = Math.abs(x) > 0 && Math.abs(x) < length ? powerOfTwo(Math.abs(x)) : length;
  const unit = Math.max(1, length);
  const of = (size: number, powers: readonly number[]) => powers.map((power) => size * 2 ** power);
  const steps = [
    length * first,
    ...of(unit, [-10]),
    ...of(length, larger),
    ...of(own, [-10, -13, -16]),
    ...of(length, smaller),
    ...of(own, smaller),
    ...of(1, [-10]),
    ...of(unit, [-2]),
  ];
  return [...new Set(steps)];
}

/** The steps to try along a direction, whose elements are those of the lengths in size. */
export const directionSteps: readonly number[] = [-10, -7, -13, -5, -16, 0, 5, 10, -19, -22].map(
  (p) => 2 ** p,
);

/**
 * What is thought of an estimate: good enough, not yet, or so surprising that others should confirm
 * it.
 */
export type Standing = "settled" | "open" | "doubtful";

/** How many further estimates a doubtful one takes. */
const confirmations = 2;

/**
 * Differences at one step after the other, until every result is settled: each keeps the estimate
 * that is least uncertain. Where two that should be sure, and make a sweep wrong, contradict each
 * other, what they differ by is their uncertainty.
 *
 * @param standing what is thought of a result's best estimate so far
 * @param best what the first step gave
 */
export function adapted(
  f: (s: number) => ArrayLike<number>,
  steps: readonly number[],
  standing: (i: number, best: Differences) => Standing,
  best: Differences = differences(f, steps[0]!),
): Differences {
  const [first, ...others] = steps;
  const n = best.values.length;
  const found = new Float64Array(n).fill(first!);
  const gaps = new Float64Array(n);
  const confirmed = new Uint8Array(n);
  /** Of estimates that should be sure, but do not confirm. */
  const coarse = new Float64Array(n).fill(Infinity);
  const open = new Set<number>();
  for (let i = 0; i < n; i++) if (standing(i, best) !== "settled") open.add(i);
  for (const h of others) {
    if (open.size === 0) break;
    const next = differences(f, h);
    for (const i of open) {
      if (tells(next, i) && tells(best, i)) {
        const gap = Math.abs(next.values[i]! - best.values[i]!);
        const expected = safety * (next.uncertainties[i]! + best.uncertainties[i]!);
        const confirms = standing(i, next) === "doubtful";
        if (confirms) confirmed[i]!++;
        else coarse[i] = Math.min(coarse[i]!, next.uncertainties[i]!);
        // Estimates that are wrong by chance differ from each other as much as from what is right.
        if (gap > expected || confirms)
          gaps[i] = Math.max(gaps[i]!, gap > expected ? gap : gap / 4);
      }
      if (isBetter(next, best, i, h < found[i]!)) {
        for (const key of ["values", "uncertainties", "steepest", "sizes"] as const) {
          best[key][i] = next[key][i]!;
        }
        found[i] = h;
      }
      let now = standing(i, best);
      if (now === "doubtful" && gaps[i]! > best.uncertainties[i]!) {
        best.uncertainties[i] = gaps[i]!;
        now = standing(i, best);
      }
      if (now === "settled" || (now === "doubtful" && confirmed[i]! >= confirmations)) {
        open.delete(i);
      }
    }
  }
  for (const i of open) {
    const isDoubtful = standing(i, best) === "doubtful" && coarse[i]! < Infinity;
    if (isDoubtful) best.uncertainties[i] = Math.max(best.uncertainties[i]!, coarse[i]!);
  }
  return best;
}

/**
 * Whether an estimate is sure of some digits; over a kink, a jump or many waves it is not, except
 * by rare chance.
 */
function tells({ uncertainties, steepest }: Differences, i: number): boolean {
  return safety * uncertainties[i]! <= 1e-4 * steepest[i]!;
}

/**
 * Whether an estimate is less uncertain than another, relative to how steep the function was found:
 * over too long a step a wave seems flat, and sure to be. Where a smaller step changes nothing
 * though a larger one does, the function has no more digits, and the smaller says nothing.
 */
function isBetter(next: Differences, best: Differences, i: number, isSmaller: boolean): boolean {
  const [a, b] = [next.uncertainties[i]!, best.uncertainties[i]!];
  if (!Number.isFinite(b)) return true;
  const [steep, steepBefore] = [next.steepest[i]!, best.steepest[i]!];
  if (steep === 0 && steepBefore === 0) return a < b;
  if (steep === 0) return !isSmaller && a < b;
  if (steepBefore === 0) return !isSmaller || a < b;
  return a / steep < b / steepBefore;
}
