import { madd } from "../vector";

/**
 * `table[index]` in every lane. Loaded, since engines build a vector literal anew at each use in a
 * loop.
 */
// @ts-ignore: decorator
@inline
export function constant<T>(table: usize, index: i32 = 0): v128 {
  return v128.load_splat<T>(table + index * sizeof<T>());
}

/** ci + c(i+1) z + c(i+2) z^2 + c(i+3) z^3, without the terms past cn. */
// @ts-ignore: decorator
@inline
function cubic<T>(z: v128, square: v128, table: usize, i: i32, n: i32): v128 {
  let low = constant<T>(table, i);
  if (n > i) low = madd<T>(z, constant<T>(table, i + 1), low);
  if (n < i + 2) return low;
  let high = constant<T>(table, i + 2);
  if (n > i + 2) high = madd<T>(z, constant<T>(table, i + 3), high);
  return madd<T>(square, high, low);
}

/**
 * c0 + c1 z + ... + cn z^n, where `table` holds c0 to cn and n <= 23 is a literal: by Horner's rule
 * over groups of four terms, which are independent of each other (Estrin 1960).
 */
// @ts-ignore: decorator
@inline
export function polynomial<T>(z: v128, table: usize, n: i32): v128 {
  const square = v128.mul<T>(z, z);
  const fourth = v128.mul<T>(square, square);
  let sum = cubic<T>(z, square, table, n & ~3, n);
  if (n > 19) sum = madd<T>(fourth, sum, cubic<T>(z, square, table, 16, n));
  if (n > 15) sum = madd<T>(fourth, sum, cubic<T>(z, square, table, 12, n));
  if (n > 11) sum = madd<T>(fourth, sum, cubic<T>(z, square, table, 8, n));
  if (n > 7) sum = madd<T>(fourth, sum, cubic<T>(z, square, table, 4, n));
  if (n > 3) sum = madd<T>(fourth, sum, cubic<T>(z, square, table, 0, n));
  return sum;
}
