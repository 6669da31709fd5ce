/**
 * The t for which Student's distribution with a whole number of degrees of freedom lies within
 * `[-t, t]` with the given probability (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4, solved by
 * bisection).
 */
export function studentQuantile(degrees: number, probability: number): number {
  let high = 1;
  while (within(high, degrees) < probability) high *= 2;
  let low = 0;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (within(middle, degrees) < probability) low = middle;
    else high = middle;
  }
  return high;
}

/** The probability of `[-t, t]`, in terms of the angle whose tangent is `t / sqrt(degrees)`. */
function within(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const isOdd = degrees % 2 === 1;
  const square = Math.cos(angle) ** 2;
  let term = isOdd ? Math.cos(angle) : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k < degrees; k += 2) {
    term *= (square * (k - 1)) / k;
    sum += term;
  }
  const part = Math.sin(angle) * sum;
  return isOdd ? (2 / Math.PI) * (angle + part) : part;
}
