/** Throws a sentence unless `value` is a number above 0; infinity clips nothing. */
export function checkLimit(value: number, name: string, where: string): void {
  if (typeof value === "number" && value > 0) return;
  throw new RangeError(`${where}: ${name} must be a number above 0, got ${String(value)}`);
}
