/** Elements of `T` in one 128-bit vector. */
// @ts-ignore: decorator
@inline
export function lanes<T>(): i32 {
  return 16 / sizeof<T>();
}

/** `a*b + c` in each lane: rounded once where the engine has relaxed SIMD, twice otherwise. */
// @ts-ignore: decorator
@inline
export function madd<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(v128.mul<T>(a, b), c);
}

/** The first `count` elements at `x`, fewer than a vector has, and `other` in the lanes behind. */
// @ts-ignore: decorator
@inline
export function loadPart<T>(x: usize, count: i32, other: T): v128 {
  let value = v128.splat<T>(other);
  if (count > 0) value = v128.load_lane<T>(x, value, 0);
  if (sizeof<T>() == 4) {
    if (count > 1) value = v128.load_lane<T>(x, value, 1, 4);
    if (count > 2) value = v128.load_lane<T>(x, value, 2, 8);
  }
  return value;
}

/** Stores the first `count` lanes, fewer than a vector has. */
// @ts-ignore: decorator
@inline
export function storePart<T>(y: usize, value: v128, count: i32): void {
  if (count > 0) v128.store_lane<T>(y, value, 0);
  if (sizeof<T>() == 4) {
    if (count > 1) v128.store_lane<T>(y, value, 1, 4);
    if (count > 2) v128.store_lane<T>(y, value, 2, 8);
  }
}

/** The first two lanes as float64. */
// @ts-ignore: decorator
@inline
export function widenLow<T>(x: v128): v128 {
  return sizeof<T>() == 4 ? f64x2.promote_low_f32x4(x) : x;
}

/** The last two lanes of four as float64; nothing is left for them to hold of two. */
// @ts-ignore: decorator
@inline
export function widenHigh<T>(x: v128): v128 {
  if (sizeof<T>() == 8) return f64x2.splat(0);
  return f64x2.promote_low_f32x4(v128.shuffle<f64>(x, x, 1, 1));
}

/** Inverse of `widenLow` and `widenHigh`, rounding to `T`. */
// @ts-ignore: decorator
@inline
export function narrow<T>(low: v128, high: v128): v128 {
  if (sizeof<T>() == 8) return low;
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** Sum of both lanes. */
// @ts-ignore: decorator
@inline
export function addLanes(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
}

/** Says of a loop that its rows are whole vectors, or that the last of a row may be incomplete. */
export type Whole = u8;
export type Ragged = i32;

/**
 * The next vector of `n > 0` elements that are left, zeros behind the last; `W` is `Whole` or
 * `Ragged`.
 */
// @ts-ignore: decorator
@inline
export function loadNext<T, W>(x: usize, n: i32): v128 {
  if (sizeof<W>() == 1) return v128.load(x);
  return n >= lanes<T>() ? v128.load(x) : loadPart<T>(x, n, <T>0);
}

/** Stores as much of a vector as there is room for: `n > 0` elements. */
// @ts-ignore: decorator
@inline
export function storeNext<T, W>(y: usize, value: v128, n: i32): void {
  if (sizeof<W>() == 1 || n >= lanes<T>()) v128.store(y, value);
  else storePart<T>(y, value, n);
}

/** Stores as `storeNext` does, or adds to what is there. */
// @ts-ignore: decorator
@inline
export function deliver<T, W>(y: usize, value: v128, n: i32, accumulate: bool): void {
  storeNext<T, W>(y, accumulate ? v128.add<T>(loadNext<T, W>(y, n), value) : value, n);
}
