/**
 * The t with `P(|T| > t) = rate` for Student's distribution with `freedom` degrees of freedom, at
 * least 20, and a rate below 0.1.
 *
 * From the normal quantile by the expansion in 1 / freedom (Abramowitz & Stegun 1964, 26.7.5).
 */
export function studentQuantile(rate: number, freedom: number): number {
  const z = normalQuantile(rate / 2);
  const n = freedom;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / n + second / n ** 2 + third / n ** 3;
}

/** The z with `P(Z > z) = tail`, for a tail below 0.1, by bisection. */
function normalQuantile(tail: number): number {
  let [low, high] = [1, 40];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalTail(middle) > tail) low = middle;
    else high = middle;
  }
  return low;
}

/** `P(Z > z)` for z of at least 1: the density by Mills' ratio, Laplace's continued fraction. */
function normalTail(z: number): number {
  let fraction = z;
  for (let k = 120; k >= 1; k--) fraction = z + k / fraction;
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI) / fraction;
}
