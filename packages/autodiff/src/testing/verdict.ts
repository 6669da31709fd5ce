import { type Differences, safety } from "./differences.ts";
import type { Standing } from "./steps.ts";

/** A derivative by differences, with what they say of it. */
export interface Numeric {
  readonly value: number;
  readonly uncertainty: number;
  /** How large the derivative is around the point. */
  readonly steepest: number;
  /**
   * The function's own size over the length that its argument was moved in: the slope that rounding
   * is measured by.
   */
  readonly natural: number;
}

export type Verdict = "right" | "wrong" | "undecided";

const epsilon = Number.EPSILON;

/**
 * Whether differences can tell: their uncertainty is within the tolerance, relative to the
 * derivative's scale, which is the largest of the derivatives it stands among and of those around
 * the point; or both sides are zero, up to the rounding of the function itself.
 */
export function isDecided(
  analytic: number,
  { value, uncertainty, steepest, natural }: Numeric,
  scale: number,
  tolerance: number,
): boolean {
  const bound = safety * uncertainty;
  if (bound <= tolerance * Math.max(Math.abs(value), steepest, scale)) return true;
  const isZero = Math.abs(analytic) <= 64 * epsilon * natural && Math.abs(value) <= bound;
  return isZero && bound <= 1e-9 * natural;
}

/** How far two values are apart, in units of what is allowed; infinite for NaN. */
export function excess(
  analytic: number,
  { value, uncertainty, natural }: Numeric,
  tolerance: number,
  rounding = 0,
): number {
  if (analytic === value) return 0;
  const own = Math.max(Math.abs(analytic), Math.abs(value));
  // A rule that reads the output, as 1 - y^2, is off by the output's rounding.
  const read = 2 ** 16 * epsilon * natural;
  const allowed = Math.max(tolerance * own, safety * uncertainty) + read + rounding;
  const error = Math.abs(analytic - value) / allowed;
  return Number.isNaN(error) ? Infinity : error;
}

/**
 * What a derivative is beside differences. It is wrong when the error is larger than the tolerance,
 * relative to the derivative itself, and larger than what the differences say of their own error:
 * so a function and a multiple of it get the same verdict.
 *
 * @param scale the largest of the derivatives that this one stands among
 * @param rounding what the analytic side may be off by, because of how it was found
 */
export function judge(
  analytic: number,
  numeric: Numeric,
  scale: number,
  tolerance: number,
  rounding = 0,
): Verdict {
  const { value, uncertainty } = numeric;
  if (!Number.isFinite(value) || !Number.isFinite(uncertainty)) return "undecided";
  if (isVague(numeric)) {
    const isSmall = safety * uncertainty + Math.abs(analytic - value) <= tolerance * scale;
    return isSmall || isDecided(analytic, numeric, 0, tolerance) ? "right" : "undecided";
  }
  if (excess(analytic, numeric, tolerance, rounding) > 1) return "wrong";
  return isDecided(analytic, numeric, scale, tolerance) ? "right" : "undecided";
}

/** One result of differences, of a function that was moved in a length. */
export function numericAt(found: Differences, i: number, length: number): Numeric {
  return {
    value: found.values[i]!,
    uncertainty: found.uncertainties[i]!,
    steepest: found.steepest[i]!,
    natural: found.sizes[i]! / Math.max(1, length),
  };
}

/**
 * Whether an estimate tells not even how large the derivative is: over a kink, a jump or many
 * waves.
 */
function isVague({ uncertainty, steepest }: Numeric): boolean {
  return steepest > 0 && safety * uncertainty > 0.1 * steepest;
}

/**
 * What is thought of an estimate, given what the sweeps found: one that makes a sweep wrong is to
 * be confirmed.
 */
export function standingOf(
  analytic: readonly (number | undefined)[],
  numeric: Numeric,
  scale: number,
  tolerance: number,
): Standing {
  if (isVague(numeric) && !analytic.every((a) => isDecided(a ?? 0, numeric, 0, tolerance))) {
    return "open";
  }
  const verdicts = analytic.flatMap((a) =>
    a === undefined ? [] : [judge(a, numeric, scale, tolerance)],
  );
  if (verdicts.includes("undecided")) return "open";
  return verdicts.includes("wrong") ? "doubtful" : "settled";
}

/**
 * The largest of derivatives that differences are sure of to three digits: the scale of those they
 * stand among.
 */
export function scaleOf({
  values,
  uncertainties,
}: Pick<Differences, "values" | "uncertainties">): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > most && safety * uncertainties[i]! <= 1e-3 * size) most = size;
  }
  return most;
}

/**
 * The error of a derivative that differences found too: above the tolerance, and relative to the
 * derivative itself, where it is wrong; at most the tolerance, and relative to the largest of the
 * derivatives it stands among, where it is right.
 *
 * @param scale the largest of the derivatives that this one stands among
 * @param rounding what the analytic side may be off by, because of how it was found
 * @returns `undefined` where the differences cannot tell
 *
 * @example
 * ```ts
 * import { derivativeError, differences } from "@chronograd/autodiff/testing";
 *
 * const { values, uncertainties, steepest, sizes } = differences((s) => [Math.exp(s)], 1e-3);
 * const numeric = {
 *   value: values[0]!,
 *   uncertainty: uncertainties[0]!,
 *   steepest: steepest[0]!,
 *   natural: sizes[0]!,
 * };
 * derivativeError(1, numeric, 1, 1e-7)! < 1e-9; // => true
 * derivativeError(2, numeric, 1, 1e-7)!.toFixed(6); // => "0.500000"
 * derivativeError(1, { ...numeric, uncertainty: Infinity }, 1, 1e-7); // => undefined
 * ```
 */
export function derivativeError(
  analytic: number,
  numeric: Numeric,
  scale: number,
  tolerance: number,
  rounding = 0,
): number | undefined {
  const verdict = judge(analytic, numeric, scale, tolerance, rounding);
  if (verdict === "undecided") return undefined;
  if (verdict === "wrong") return relative(analytic, numeric.value);
  const error = relative(analytic, numeric.value, Math.max(scale, numeric.steepest));
  // Where both sides are zero up to rounding, a relative error means nothing.
  return error <= tolerance ? error : 0;
}

/**
 * |a - b| relative to a scale, or to the larger of both where that is more; NaN counts as infinite.
 */
export function relative(a: number, b: number, scale = 0): number {
  if (a === b) return 0;
  const error = Math.abs(a - b) / Math.max(scale, Math.abs(a), Math.abs(b));
  return Number.isNaN(error) ? Infinity : error;
}
