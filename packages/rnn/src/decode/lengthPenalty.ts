import { textOf } from "../checkDefinition.ts";

/**
 * How hypotheses of several lengths compare: the exponent `a` of `((5 + length) / 6)^a` (Wu et al.
 * 2016, Google's neural machine translation system, eq. 14), or a function of the length, such as
 * `(length) => length` for the mean per token. A log-probability is divided by it.
 */
export type LengthPenalty = number | ((length: number) => number);

/** What log-probabilities are divided by, at the index of the length. */
export interface Divisors {
  readonly of: Float64Array;
  /** The largest of a length and all longer ones. */
  readonly largestFrom: Float64Array;
}

/** The divisors of the lengths 1 to `longest`. */
export function divisorsOf(where: string, penalty: LengthPenalty, longest: number): Divisors {
  const isNumber = typeof penalty === "number";
  if (isNumber ? !(Number.isFinite(penalty) && penalty >= 0) : typeof penalty !== "function") {
    throw new TypeError(
      `${where}: lengthPenalty must be an exponent of at least 0 or a function of the length, got ${textOf(penalty)}`,
    );
  }
  const divisor = isNumber ? (length: number) => ((5 + length) / 6) ** penalty : penalty;
  const of = new Float64Array(longest + 1);
  for (let length = 1; length <= longest; length++) {
    const value = divisor(length);
    if (!(Number.isFinite(value) && value > 0)) {
      throw new RangeError(
        `${where}: lengthPenalty must give a finite number above 0 for every length, got ${textOf(value)} for ${length}`,
      );
    }
    of[length] = value;
  }
  const largestFrom = of.slice();
  for (let length = longest - 1; length > 0; length--) {
    largestFrom[length] = Math.max(of[length]!, largestFrom[length + 1]!);
  }
  return { of, largestFrom };
}
