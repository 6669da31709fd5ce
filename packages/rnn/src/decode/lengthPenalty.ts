import { textOf } from "../checkDefinition.ts";

/**
 * How hypotheses of several lengths compare: the exponent `a` of `((5 + length) / 6)^a` (Wu et al.
 * 2016, Google's neural machine translation system, eq. 14), or a function of the length, such as
 * `(length) => length` for the mean per token. A log-probability is divided by it.
 */
export type LengthPenalty = number | ((length: number) => number);

/** The divisors of the lengths 1 to `longest`, at these indices. */
export function divisorsOf(
  where: string,
  penalty: LengthPenalty,
  longest: number,
): readonly number[] {
  const isNumber = typeof penalty === "number";
  if (isNumber ? !(Number.isFinite(penalty) && penalty >= 0) : typeof penalty !== "function") {
    throw new TypeError(
      `${where}: lengthPenalty must be an exponent of at least 0 or a function of the length, got ${textOf(penalty)}`,
    );
  }
  const divisor = isNumber ? (length: number) => ((5 + length) / 6) ** penalty : penalty;
  return Array.from({ length: longest + 1 }, (_, length) => {
    if (length === 0) return 1;
    const value = divisor(length);
    if (Number.isFinite(value) && value > 0) return value;
    throw new RangeError(
      `${where}: lengthPenalty must give a finite number above 0 for every length, got ${textOf(value)} for ${length}`,
    );
  });
}
