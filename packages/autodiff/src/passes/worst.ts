import { type Differences, differences } from "./differences.ts";
import { adapted, directionSteps, lengthsOf, stepsFor } from "./steps.ts";
import { excess, isDecided, judge, type Numeric, relative, scaleOf } from "./verdict.ts";

/** Inputs of up to so many elements are tested one element at a time, larger ones by directions and bisection. */
const fewElements = 96;

/** The element of a cotangent that differs most from differences. */
export interface Worst {
  readonly index: number;
  readonly analytic: number;
  readonly numeric: number;
}

/** What a function gives, weighted, when an input is moved: the sum of it is what a cotangent is the gradient of. */
export type Moved = (v: (i: number) => number) => (s: number) => Float64Array;

/** The sum of all results, as one derivative. */
function total({ values, uncertainties, steepest, sizes }: Differences, length: number): Numeric {
  const sum = (list: Float64Array) => list.reduce((a, b) => a + b, 0);
  return {
    value: sum(values),
    uncertainty: sum(uncertainties),
    steepest: sum(steepest),
    natural: sum(sizes) / Math.max(1, length),
  };
}

/**
 * Derivatives of a function by each element of an input, or along parts of a direction: made once, to hold several
 * cotangents to.
 */
export class Slopes {
  readonly values: ArrayLike<number>;
  readonly tolerance: number;
  readonly #moved: Moved;
  readonly #lengths: Float64Array;
  readonly #v: Float64Array;
  readonly #known: Differences[];

  constructor(values: ArrayLike<number>, moved: Moved, tolerance: number, random: () => number) {
    this.values = values;
    this.tolerance = tolerance;
    this.#moved = moved;
    this.#lengths = lengthsOf(values);
    this.#v = this.#lengths.map((length) => length * (random() || 0.5));
    const isSmall = values.length <= fewElements;
    this.#known = isSmall
      ? Array.from(this.#lengths, (_, i) => differences(this.#element(i), this.#steps(i)[0]!))
      : [];
  }

  #element(at: number): (s: number) => Float64Array {
    return this.#moved((i) => (i === at ? 1 : 0));
  }

  #steps(i: number): number[] {
    return stepsFor(this.values[i]!, this.#lengths[i]!);
  }

  /** By one element; with other steps where the first do not decide. */
  #by(i: number, analytic: number, scale: number): Numeric {
    const { tolerance } = this;
    const length = this.#lengths[i]!;
    const best = this.#known[i] ?? differences(this.#element(i), this.#steps(i)[0]!);
    const numeric = total(best, length);
    if (isDecided(analytic, numeric, scale, tolerance)) return numeric;
    return total(this.#adapted(this.#element(i), this.#steps(i), best), length);
  }

  #adapted(
    f: (s: number) => Float64Array,
    steps: readonly number[],
    first: Differences,
  ): Differences {
    const scale = scaleOf(first);
    return adapted(
      f,
      steps,
      (k, { values, uncertainties, steepest }) => {
        const numeric = {
          value: values[k]!,
          uncertainty: uncertainties[k]!,
          steepest: steepest[k]!,
          natural: 0,
        };
        return isDecided(0, numeric, scale, this.tolerance);
      },
      first,
    );
  }

  /**
   * The element of `found` that is wrong by most; `undefined` when none is, -1 when the differences decide nothing.
   * Large ones are tested along a random direction, and halved down to one element where that differs.
   */
  hold(
    found: Float64Array,
    note: (error: number) => void,
    rounding = 0,
  ): Worst | "undecided" | undefined {
    const n = found.length;
    if (n > fewElements) return this.#bisect(found, note, rounding);
    const first = this.#known.map((each, i) => total(each, this.#lengths[i]!));
    const scale = scaleOf({
      values: Float64Array.from(first, ({ value }) => value),
      uncertainties: Float64Array.from(first, ({ uncertainty }) => uncertainty),
    });
    let isAllDecided = true;
    let worst: Worst | undefined;
    let most = 0;
    for (let i = 0; i < n; i++) {
      const analytic = found[i]!;
      const numeric = this.#by(i, analytic, scale);
      const verdict = judge(analytic, numeric, scale, this.tolerance, rounding);
      if (verdict === "undecided") {
        isAllDecided = false;
        continue;
      }
      const error = relative(analytic, numeric.value, Math.max(scale, numeric.steepest));
      if (verdict === "right") {
        if (error <= this.tolerance) note(error);
        continue;
      }
      note(error);
      const off = excess(analytic, numeric, scale, this.tolerance, rounding);
      if (worst !== undefined && !(off > most)) continue;
      worst = { index: i, analytic, numeric: numeric.value };
      most = off;
    }
    return worst ?? (isAllDecided ? undefined : "undecided");
  }

  /** How far a part of the cotangent is off along the direction, in units of what is allowed; -1 where undecided. */
  #along(
    found: Float64Array,
    low: number,
    high: number,
    note: (error: number) => void,
    rounding: number,
  ): number {
    const v = this.#v;
    const f = this.#moved((i) => (i >= low && i < high ? v[i]! : 0));
    let analytic = 0;
    let terms = 0;
    for (let i = low; i < high; i++) {
      analytic += v[i]! * found[i]!;
      terms += Math.abs(v[i]! * found[i]!);
    }
    const first = differences(f, directionSteps[0]!);
    let numeric = total(first, 1);
    if (!isDecided(analytic, numeric, 0, this.tolerance)) {
      numeric = total(this.#adapted(f, directionSteps, first), 1);
    }
    const slack = 64 * Number.EPSILON * terms + rounding * (high - low);
    const verdict = judge(analytic, numeric, 0, this.tolerance, slack);
    if (verdict === "undecided") return -1;
    const error = relative(analytic, numeric.value, numeric.steepest);
    if (verdict === "wrong" || error <= this.tolerance) note(error);
    return verdict === "right" ? 0 : excess(analytic, numeric, 0, this.tolerance, slack);
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
