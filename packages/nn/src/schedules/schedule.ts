/** A learning rate as a function of the number of updates done: `schedule(0)` is that of the first update. */
export type Schedule = (step: number) => number;

/** A learning rate, or how it changes, as a function of the step. @internal */
export function asSchedule(rate: number | Schedule): Schedule {
  return typeof rate === "number" ? () => rate : rate;
}

/** Throws a sentence unless an option is a finite number above `low` (or equal, where `orEqual`). @internal */
export function checkNumber(
  value: number,
  name: string,
  where: string,
  low = 0,
  orEqual = true,
): void {
  if (Number.isFinite(value) && (value > low || (orEqual && value === low))) return;
  throw new RangeError(
    `${where}: ${name} must be a finite number ${orEqual ? "of at least" : "above"} ${low}, got ${String(value)}`,
  );
}

/** Throws a sentence unless an option is a whole number of at least `least`. @internal */
export function checkSteps(value: number, name: string, where: string, least = 1): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(
    `${where}: ${name} must be a whole number of at least ${least}, got ${String(value)}`,
  );
}
