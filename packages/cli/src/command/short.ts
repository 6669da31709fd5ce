/** A number in at most four significant digits, as a person reads it. */
export const short = (value: number): string => String(Number(value.toPrecision(4)));
