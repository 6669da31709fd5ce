import { type Differences, differences } from "./differences.ts";
import { adapted, directionSteps, lengthsOf, stepsFor } from "./steps.ts";
import {
  derivativeError,
  excess,
  type Numeric,
  numericAt,
  scaleOf,
  standingOf,
} from "./verdict.ts";

/**
 * Inputs of up to so many elements are tested one element at a time, larger ones by directions and
 * bisection.
 */
const fewElements = 96;

/** The element of a cotangent that differs most from differences. */
export interface Worst {
  readonly index: number;
  readonly analytic: number;
  readonly numeric: number;
}

/**
 * What a function gives, weighted, when an input is moved along `v`: a cotangent is the gradient of
 * the sum.
 */
export type Moved = (v: (i: number) => number) => (s: number) => Float64Array;

/**
 * The sum of all results as a function of one number, counted from where it is at 0. Rounding is
 * measured by those results that change at all: a large one that does not is no reason to be
 * uncertain.
 */
function summed(f: (s: number) => Float64Array, step: number): (s: number) => Float64Array {
  const middle = f(0);
  const ends = new Map([step, -step].map((s) => [s, f(s)]));
  let size = 0;
  for (const [k, y] of middle.entries()) {
    if ([...ends.values()].some((end) => end[k] !== y)) size += Math.abs(y);
  }
  return (s) => {
    if (s === 0) return Float64Array.of(size);
    const there = ends.get(s) ?? f(s);
    let change = 0;
    for (const [k, y] of middle.entries()) change += there[k]! - y;
    return Float64Array.of(size + change);
  };
}

/**
 * Derivatives of a function by each element of an input, or along parts of a direction: made once,
 * to hold several cotangents to.
 */
export class Slopes {
  readonly values: ArrayLike<number>;
  readonly tolerance: number;
  readonly #moved: Moved;
  readonly #lengths: Float64Array;
  readonly #v: Float64Array;
  /** By element, where there are few. */
  readonly #known: { readonly f: (s: number) => Float64Array; readonly first: Differences }[];

  constructor(values: ArrayLike<number>, moved: Moved, tolerance: number, random: () => number) {
    this.values = values;
    this.tolerance = tolerance;
    this.#moved = moved;
    this.#lengths = lengthsOf(values);
    this.#v = this.#lengths.map((length) => length * (random() || 0.5));
    const isSmall = values.length <= fewElements;
    this.#known = isSmall ? Array.from(this.#lengths, (_, i) => this.#element(i)) : [];
  }

  /** The function when one element moves. */
  #element(at: number): { f: (s: number) => Float64Array; first: Differences } {
    const step = this.#steps(at)[0]!;
    const f = summed(
      this.#moved((i) => (i === at ? 1 : 0)),
      step,
    );
    return { f, first: differences(f, step) };
  }

  #steps(i: number): number[] {
    return stepsFor(this.values[i]!, this.#lengths[i]!);
  }

  /**
   * The derivative by one element; with other steps where the first do not decide, or make
   * `analytic` wrong.
   */
  #by(i: number, analytic: number, scale: number): Numeric {
    const length = this.#lengths[i]!;
    const { f, first } = this.#known[i] ?? this.#element(i);
    const standing = (_: number, now: Differences) =>
      standingOf([analytic], numericAt(now, 0, length), scale, this.tolerance);
    const copy = {
      values: first.values.slice(),
      uncertainties: first.uncertainties.slice(),
      steepest: first.steepest.slice(),
      sizes: first.sizes.slice(),
    };
    return numericAt(adapted(f, this.#steps(i), standing, copy), 0, length);
  }

  /**
   * The element of `found` that is wrong by most; `undefined` when none is, -1 when the differences
   * decide nothing. Large ones are tested along a random direction, and halved down to one element
   * where that differs.
   */
  hold(
    found: Float64Array,
    note: (error: number) => void,
    rounding = 0,
  ): Worst | "undecided" | undefined {
    const n = found.length;
    if (n > fewElements) return this.#bisect(found, note, rounding);
    const scale = scaleOf({
      values: Float64Array.from(this.#known, ({ first }) => first.values[0]!),
      uncertainties: Float64Array.from(this.#known, ({ first }) => first.uncertainties[0]!),
    });
    let isAllDecided = true;
    let worst: Worst | undefined;
    let most = 0;
    for (let i = 0; i < n; i++) {
      const analytic = found[i]!;
      const numeric = this.#by(i, analytic, scale);
      const error = derivativeError(analytic, numeric, scale, this.tolerance, rounding);
      if (error === undefined) {
        isAllDecided = false;
        continue;
      }
      note(error);
      if (error <= this.tolerance) continue;
      const off = excess(analytic, numeric, this.tolerance, rounding);
      if (worst !== undefined && !(off > most)) continue;
      worst = { index: i, analytic, numeric: numeric.value };
      most = off;
    }
    return worst ?? (isAllDecided ? undefined : "undecided");
  }

  /**
   * How far a part of the cotangent is off along the direction, in units of what is allowed; -1
   * where undecided.
   */
  #along(
    found: Float64Array,
    low: number,
    high: number,
    note: (error: number) => void,
    rounding: number,
  ): number {
    const v = this.#v;
    const [step] = directionSteps;
    const f = summed(
      this.#moved((i) => (i >= low && i < high ? v[i]! : 0)),
      step!,
    );
    let analytic = 0;
    let terms = 0;
    for (let i = low; i < high; i++) {
      analytic += v[i]! * found[i]!;
      terms += Math.abs(v[i]! * found[i]!);
    }
    const standing = (_: number, now: Differences) =>
      standingOf([analytic], numericAt(now, 0, 1), 0, this.tolerance);
    const numeric = numericAt(adapted(f, directionSteps, standing), 0, 1);
    const slack = 64 * Number.EPSILON * terms + rounding * (high - low);
    const error = derivativeError(analytic, numeric, 0, this.tolerance, slack);
    if (error === undefined) return -1;
    note(error);
    return error <= this.tolerance ? 0 : excess(analytic, numeric, this.tolerance, slack);
  }

  #bisect(
    found: Float64Array,
    note: (error: number) => void,
    rounding: number,
  ): Worst | "undecided" | undefined {
    const off = (low: number, high: number) => this.#along(found, low, high, note, rounding);
    const n = found.length;
    const whole = off(0, n);
    if (whole === -1) return "undecided";
    if (whole === 0) return undefined;
    let [low, high] = [0, n];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (off(low, middle) > off(middle, high)) high = middle;
      else low = middle;
    }
    const analytic = found[low]!;
    return { index: low, analytic, numeric: this.#by(low, analytic, 0).value };
  }
}

/** The largest size of an element. */
export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}
