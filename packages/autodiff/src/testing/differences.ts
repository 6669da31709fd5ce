/** Derivatives found by differences, each with an estimate of its own error. */
export interface Differences {
  readonly values: Float64Array;
  /** Infinite or NaN where the function has no value, large where the derivative jumps. */
  readonly uncertainties: Float64Array;
  /**
   * The steepest difference quotients from one side: how large the derivative is around the point;
   * 0 where rounding alone changes the value.
   */
  readonly steepest: Float64Array;
  /** The largest values that were met. */
  readonly sizes: Float64Array;
}

/**
 * The derivative at 0 of a function of one number, for each of its results: central differences at
 * h, h/2 and h/4, extrapolated to h = 0 (Richardson 1911).
 *
 * The error estimate is four times what the last extrapolation changed, and the rounding of the
 * values. Where the derivatives from the left and from the right, extrapolated by themselves,
 * differ by more than their own estimates, the point is a kink and half the jump is the estimate:
 * at a kink central differences agree with each other all the same. All of it scales with the
 * function: `c f` has `c` times the derivative and `c` times the error.
 *
 * @param f gives the same number of results for every argument
 * @param h the first step
 *
 * @example
 * ```ts
 * import { differences } from "@chronograd/autodiff/testing";
 *
 * const { values, uncertainties } = differences((s) => [Math.sin(s), Math.abs(s)], 1e-3);
 * values[0]!.toFixed(9); // => "1.000000000"
 * [uncertainties[0]! < 1e-9, uncertainties[1]!.toFixed(9)]; // => [true, "1.000000000"]
 * ```
 */
export function differences(f: (s: number) => ArrayLike<number>, h: number): Differences {
  const middle = f(0);
  const steps = [h, h / 2, h / 4].map((s) => [s, f(s), f(-s)] as const);
  const n = middle.length;
  const vector = () => new Float64Array(n);
  const found = { values: vector(), uncertainties: vector(), steepest: vector(), sizes: vector() };
  for (let i = 0; i < n; i++) {
    const y = middle[i]!;
    const [d1, d2, d4] = steps.map(([s, up, down]) => (up[i]! - down[i]!) / (2 * s)) as Triple;
    const once = (4 * d4 - d2) / 3;
    const value = (16 * once - (4 * d2 - d1) / 3) / 15;
    const rights = steps.map(([s, up]) => (up[i]! - y) / s) as Triple;
    const lefts = steps.map(([s, , down]) => (y - down[i]!) / s) as Triple;
    const [right, left] = [oneSided(rights), oneSided(lefts)];
    const ends = steps.flatMap(([, up, down]) => [up[i]!, down[i]!]);
    const size = Math.max(Math.abs(y), ...ends.map(Math.abs));
    const change = Math.max(...ends.map((end) => Math.abs(end - y)));
    const rounding = (2 * Number.EPSILON * size) / h;
    const jump = Math.abs(right.value - left.value);
    // A jump of the value itself makes both estimates useless, so they excuse no more than a
    // thousandth.
    const most = Math.max(Math.abs(value), Math.abs(right.value), Math.abs(left.value));
    const excuse = Math.min(4 * (right.error + left.error), 1e-3 * most);
    const isKink = jump > excuse + 64 * rounding;
    const uncertainty = Math.max(4 * Math.abs(value - once), isKink ? jump / 2 : 0) + rounding;
    found.values[i] = value;
    found.uncertainties[i] = Number.isNaN(jump) ? Number.NaN : uncertainty;
    found.steepest[i] =
      change <= 256 * Number.EPSILON * size ? 0 : Math.max(...[...rights, ...lefts].map(Math.abs));
    found.sizes[i] = size;
  }
  return found;
}

/** An error estimate may be too small by so much. */
export const safety = 8;

type Triple = [number, number, number];

/** A one-sided derivative from difference quotients at h, h/2 and h/4. */
function oneSided([d1, d2, d4]: Triple): { value: number; error: number } {
  const [first, second] = [2 * d2 - d1, 2 * d4 - d2];
  const value = (4 * second - first) / 3;
  return { value, error: Math.abs(value - second) };
}

/**
 * A generator good enough to scatter directions and cotangents in [-1, 1] (Steele, Lea & Flood
 * 2014, SplitMix's finaliser).
 */
export function scatter(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 31 - 1;
  };
}
