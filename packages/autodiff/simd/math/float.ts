import { constant } from "./table";

const signs = memory.data<u64>([0x8000000000000000]);
const signs_f32 = memory.data<u32>([0x80000000]);
/** The upper 26 bits of a float64 significand with sign and exponent. */
const upperBits = memory.data<u64>([0xfffffffff8000000]);

/** `magnitude`, which has no sign, with the sign of `x`. */
// @ts-ignore: decorator
@inline
export function withSign<T>(magnitude: v128, x: v128): v128 {
  const mask = sizeof<T>() == 4 ? constant<u32>(signs_f32) : constant<u64>(signs);
  return v128.or(magnitude, v128.and(x, mask));
}

/** x cut to 26 bits, so that the square of the result is exact. */
// @ts-ignore: decorator
@inline
export function upperPart(x: v128): v128 {
  return v128.and(x, constant<u64>(upperBits));
}

/** (a + b) - fl(a + b), where `sum` is fl(a + b) (Knuth, TAOCP 2, 4.2.2 theorem B). */
// @ts-ignore: decorator
@inline
export function sumError(a: v128, b: v128, sum: v128): v128 {
  const rest = f64x2.sub(sum, a);
  return f64x2.add(f64x2.sub(a, f64x2.sub(sum, rest)), f64x2.sub(b, rest));
}

/**
 * a b - fl(a b), where `product` is fl(a b) (Dekker 1971): all partial products but the least are
 * exact.
 */
// @ts-ignore: decorator
@inline
export function productError(a: v128, b: v128, product: v128): v128 {
  const aUpper = upperPart(a);
  const bUpper = upperPart(b);
  const aLower = f64x2.sub(a, aUpper);
  const bLower = f64x2.sub(b, bUpper);
  const upper = f64x2.sub(f64x2.mul(aUpper, bUpper), product);
  const mixed = f64x2.add(
    f64x2.add(upper, f64x2.mul(aUpper, bLower)),
    f64x2.mul(aLower, bUpper),
  );
  return f64x2.add(mixed, f64x2.mul(aLower, bLower));
}

/**
 * An element-wise function whose `of` computes float64 alone: the build takes `Widened` of it for
 * float32. A function that is no such class serves both.
 */
@unmanaged export class Float64 {}
