import { textOf } from "../checkDefinition.ts";

/** Throws a sentence unless a number is whole and lies between bounds. */
export function checkWhole(
  where: string,
  what: string,
  value: number,
  low: number,
  high: number,
): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return;
  throw new RangeError(
    `${where}: ${what} must be a whole number from ${low} to ${high}, got ${textOf(value)}`,
  );
}
