/** A tick of a logarithmic axis, in plain digits where there are few. */
export function tick(value: number): string {
  return value >= 0.001 ? String(Number(value.toPrecision(3))) : value.toExponential(0);
}
