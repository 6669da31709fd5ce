import { Backend } from "@chronograd/autodiff";

/** A value in a sentence: `"7"` is not 7. @internal */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  const isShort = Array.isArray(value) && value.length < 9;
  return isShort ? `[${value.map(shown).join(",")}]` : Object.prototype.toString.call(value);
}

/** Throws a sentence unless a number is finite, at least `least`, and below `bound`. @internal */
export function checkNumber(
  value: number,
  name: string,
  where: string,
  least = 0,
  bound: number = Number.POSITIVE_INFINITY,
): void {
  if (Number.isFinite(value) && value >= least && value < bound) return;
  const range = bound === Number.POSITIVE_INFINITY ? "" : ` and below ${bound}`;
  throw new RangeError(
    `${where}: ${name} must be a finite number of at least ${least}${range}, got ${shown(value)}`,
  );
}

/** Throws a sentence unless a number is finite and above 0. @internal */
export function checkPositive(value: number, name: string, where: string): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new RangeError(`${where}: ${name} must be a finite number above 0, got ${shown(value)}`);
}

/** Throws a sentence unless a number is above 0; infinity limits nothing. @internal */
export function checkLimit(value: number, name: string, where: string): void {
  if (typeof value === "number" && value > 0) return;
  throw new RangeError(`${where}: ${name} must be a number above 0, got ${shown(value)}`);
}

/** Throws a sentence unless a number is whole, at least `least` and at most `most`. @internal */
export function checkWhole(
  value: number,
  name: string,
  where: string,
  least = 1,
  most: number = Number.POSITIVE_INFINITY,
): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range =
    most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new RangeError(`${where}: ${name} must be a whole number ${range}, got ${shown(value)}`);
}

/** Throws a sentence unless a backend is one, or left out. @internal */
export function checkBackend(backend: Backend | undefined, where: string): void {
  if (backend === undefined || backend instanceof Backend) return;
  throw new TypeError(
    `${where}: backend must be one that createBackend made, got ${shown(backend)}; leave it out for the default one`,
  );
}
