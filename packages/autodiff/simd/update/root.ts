// Roots of weighted sums of two squares, right where the squares are no numbers of the dtype, and
// what they are made of.

/** `alpha x + y`. */
// @ts-ignore: decorator
@inline
export function scaledSum<T>(x: v128, alpha: T, y: v128): v128 {
  return v128.add<T>(v128.mul<T>(x, v128.splat<T>(alpha)), y);
}

/** `beta average + rest x`. */
// @ts-ignore: decorator
@inline
export function tracked<T>(average: v128, beta: T, x: v128, rest: T): v128 {
  return scaledSum<T>(average, beta, v128.mul<T>(x, v128.splat<T>(rest)));
}

/**
 * Above this, a sum of squares lost nothing to underflow; nothing that counts beside a larger
 * epsilon.
 */
// @ts-ignore: decorator
@inline
export function lowest<T>(epsilon: T): T {
  const counts = <T>(sizeof<T>() == 4 ? 1e-14 : 1e-140);
  return epsilon > counts ? <T>-1 : <T>(sizeof<T>() == 4 ? 7.888609052210118e-31 : 1e-290);
}

/** Lanes in which sums of squares from `least` to `most` neither overflow nor vanish. */
// @ts-ignore: decorator
@inline
export function safe<T>(least: v128, most: v128, low: T): v128 {
  const high = <T>(sizeof<T>() == 4 ? 1.329227995784916e36 : 1e300);
  return v128.and(
    v128.gt<T>(least, v128.splat<T>(low)),
    v128.lt<T>(most, v128.splat<T>(high)),
  );
}

/** `keep a^2 + rest b^2`. */
// @ts-ignore: decorator
@inline
export function squares<T>(a: v128, keep: T, b: v128, rest: T): v128 {
  return tracked<T>(v128.mul<T>(a, a), keep, v128.mul<T>(b, b), rest);
}

/**
 * The root below, in lanes that need it with both sides divided by the larger one; at most `most`.
 */
export function scaledRoot<T>(a: v128, keep: T, b: v128, rest: T, low: T, most: T): v128 {
  const largest = v128.pmax<T>(a, v128.abs<T>(b));
  const one = v128.splat<T>(<T>1);
  const unit = v128.bitselect(largest, one, v128.gt<T>(largest, v128.splat<T>(<T>0)));
  const parts = squares<T>(v128.div<T>(a, unit), keep, v128.div<T>(b, unit), rest);
  const scaled = v128.pmin<T>(v128.splat<T>(most), v128.mul<T>(unit, v128.sqrt<T>(parts)));
  const sum = squares<T>(a, keep, b, rest);
  return v128.bitselect(v128.sqrt<T>(sum), scaled, safe<T>(sum, sum, low));
}

/** The largest number. */
// @ts-ignore: decorator
@inline
export function greatest<T>(): T {
  return <T>(sizeof<T>() == 4 ? f32.MAX_VALUE : f64.MAX_VALUE);
}

/**
 * `sqrt(keep a^2 + rest b^2)` for `a >= 0`, right where the squares are no numbers of the dtype,
 * too.
 */
// @ts-ignore: decorator
@inline
export function root<T>(a: v128, keep: T, b: v128, rest: T, low: T, most: T): v128 {
  const sum = squares<T>(a, keep, b, rest);
  return i8x16.all_true(safe<T>(sum, sum, low))
    ? v128.sqrt<T>(sum)
    : scaledRoot<T>(a, keep, b, rest, low, most);
}

/** Nothing divides by 0: an epsilon of 0 is the smallest number above it. */
// @ts-ignore: decorator
@inline
export function positive<T>(epsilon: f64): T {
  return max<T>(<T>epsilon, <T>(sizeof<T>() == 4 ? f32.MIN_VALUE : f64.MIN_VALUE));
}
