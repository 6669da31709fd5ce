/**
 * a - b floor(a/b), of the sign of b, as Python's `%`: the remainder is exact, found by long
 * division with b 2^k; where its sign is not that of b, b is added, rounded once. NaN for b = 0 and
 * for an infinite a.
 */
export function mod(a: f64, b: f64): f64 {
  const divisor = abs(b);
  let rest = abs(a);
  if (!(rest < Infinity) || !(divisor > 0)) return NaN;
  let step = divisor;
  while (rest - step >= step) step += step;
  for (;;) {
    if (rest >= step) rest -= step;
    if (step == divisor) break;
    step *= 0.5;
  }
  rest = copysign(rest, a);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
