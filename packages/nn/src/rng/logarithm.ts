/**
 * The natural logarithm of a number in (0, 1), from additions, multiplications and divisions alone.
 *
 * These are exact in every engine, and `Math.log` is not: draws made with it would differ from
 * browser to browser. With `x = m 2^-k`, m in [sqrt(1/2), sqrt(2)), and `s = (m - 1) / (m + 1)`:
 * `log x = 2 atanh(s) - k log 2`.
 */
export function logarithm(x: number): number {
  let m = x;
  let k = 0;
  while (m < Math.SQRT1_2) {
    m *= 2;
    k++;
  }
  const s = (m - 1) / (m + 1);
  // atanh(s) = s (1 + s^2/3 + ... + s^20/21 + ...); |s| < 0.172, so the rest is below one rounding.
  let sum = 0;
  for (let n = 21; n >= 1; n -= 2) sum = sum * s * s + 1 / n;
  return 2 * s * sum - k * Math.LN2;
}
