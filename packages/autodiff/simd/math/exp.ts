// Cody & Waite 1980: x = k ln2 + r with |r| <= ln2/2, and e^x = 2^k e^r. The quotient k is rounded
// by adding 1.5*2^52 (1.5*2^23), which leaves k as an integer in the low bits of the sum; ln2 is
// split in two so that k times its upper part is exact. 2^k is applied as 2^floor(k/2) and
// 2^ceil(k/2): the first product is exact and the second rounds once, into the subnormal range or
// to infinity.
import { withSign } from "./float";
import {
  inverseLn2_f32, ln2Lower_f32, ln2Upper_f32, one_f32, shifter_f32, inverseLn2_f64, ln2Lower_f64,
  ln2Upper_f64, one_f64, shifter_f64, oneBits_i32, oneBits_i64,
} from "./numbers";
import { constant, polynomial } from "./table";
import { madd } from "../vector";

/** Where e^x is certainly infinite, and where it is certainly 0. */
const overflow_f64 = memory.data<f64>([710]);
const vanishing_f64 = memory.data<f64>([-746]);
const overflow_f32 = memory.data<f32>([89]);
const vanishing_f32 = memory.data<f32>([-104]);
/** (e^r - 1 - r)/r^2 on |r| <= 0.3467, within 2^-63 of e^r. */
const growth_f64 = memory.data<f64>([
  0.5, 0.16666666666666685, 0.041666666666666526, 0.008333333333315995, 0.0013888888888968006,
  0.00019841269898513518, 2.4801587155248963e-5, 2.7557233039832656e-6, 2.755741770284334e-7,
  2.511259393317407e-8, 2.0871063566459838e-9,
]);
/** (e^r - 1 - r)/r^2 on |r| <= 0.3467, within 2^-28 of e^r. */
const growth_f32 = memory.data<f32>([
  0.499999881, 0.166665182, 0.0416696481, 0.00836894661, 0.00137453259,
]);
/** (1 - r - e^-r)/r^2, the same of -r. */
const decay_f32 = memory.data<f32>([
  -0.499999881, 0.166665182, -0.0416696481, 0.00836894661, -0.00137453259,
]);

/** x/ln2 rounded to the integer k, in the low bits of the result; x within `bounds`. */
// @ts-ignore: decorator
@inline
export function quotient_f64x2(x: v128): v128 {
  return madd<f64>(x, constant<f64>(inverseLn2_f64), constant<f64>(shifter_f64));
}

/** x - k ln2. */
// @ts-ignore: decorator
@inline
export function remainder_f64x2(x: v128, quotient: v128): v128 {
  const k = f64x2.sub(quotient, constant<f64>(shifter_f64));
  const upper = f64x2.sub(x, f64x2.mul(k, constant<f64>(ln2Upper_f64)));
  return f64x2.sub(upper, f64x2.mul(k, constant<f64>(ln2Lower_f64)));
}

/** e^r - 1 for a remainder r. */
// @ts-ignore: decorator
@inline
export function growth_f64x2(r: v128): v128 {
  return madd<f64>(f64x2.mul(r, r), polynomial<f64>(r, growth_f64, 10), r);
}

/** 2^floor(k/2). */
// @ts-ignore: decorator
@inline
export function lowerPower_f64x2(quotient: v128): v128 {
  return i64x2.add(i64x2.shl(i64x2.shr_u(quotient, 1), 52), constant<i64>(oneBits_i64));
}

/** 2^ceil(k/2). */
// @ts-ignore: decorator
@inline
export function upperPower_f64x2(quotient: v128): v128 {
  const half = i64x2.shl(i64x2.shr_u(quotient, 1), 52);
  return i64x2.add(i64x2.sub(i64x2.shl(quotient, 52), half), constant<i64>(oneBits_i64));
}

/** x moved to where e^x just overflows or vanishes if it lies beyond; NaN stays. */
// @ts-ignore: decorator
@inline
export function bounded_f64x2(x: v128): v128 {
  return f64x2.pmax(f64x2.pmin(x, constant<f64>(overflow_f64)), constant<f64>(vanishing_f64));
}

// @ts-ignore: decorator
@inline
export function exp_f64x2(x: v128): v128 {
  const bounded = bounded_f64x2(x);
  const quotient = quotient_f64x2(bounded);
  const growth = growth_f64x2(remainder_f64x2(bounded, quotient));
  const power = f64x2.add(growth, constant<f64>(one_f64));
  return f64x2.mul(f64x2.mul(power, lowerPower_f64x2(quotient)), upperPower_f64x2(quotient));
}

/** e^x/2 for |x| <= 711, where e^x itself may overflow. */
// @ts-ignore: decorator
@inline
export function halfExp_f64x2(x: v128): v128 {
  const quotient = quotient_f64x2(x);
  const growth = growth_f64x2(remainder_f64x2(x, quotient));
  const one = constant<f64>(one_f64);
  const halved = f64x2.sub(quotient, one);
  return f64x2.mul(
    f64x2.mul(f64x2.add(growth, one), lowerPower_f64x2(halved)),
    upperPower_f64x2(halved),
  );
}

/**
 * 2^k (e^r - 1) + (2^k - 1), everything halved so that 2^k cannot overflow; e^r - 1 itself where k
 * = 0.
 */
export function expm1_f64x2(x: v128): v128 {
  const bounded = bounded_f64x2(x);
  const quotient = quotient_f64x2(bounded);
  const growth = growth_f64x2(remainder_f64x2(bounded, quotient));
  const one = constant<f64>(one_f64);
  const halved = f64x2.sub(quotient, one);
  const power = f64x2.mul(lowerPower_f64x2(halved), upperPower_f64x2(halved));
  const half = f64x2.splat(0.5);
  const sum = madd<f64>(power, growth, f64x2.sub(power, half));
  const near = f64x2.eq(quotient, constant<f64>(shifter_f64));
  const value = v128.bitselect(growth, f64x2.add(sum, sum), near);
  return withSign<f64>(f64x2.abs(value), x);
}

/** x/ln2 rounded to the integer k, in the low bits of the result; x within `bounds`. */
// @ts-ignore: decorator
@inline
export function quotient_f32x4(x: v128): v128 {
  return madd<f32>(x, constant<f32>(inverseLn2_f32), constant<f32>(shifter_f32));
}

/** x - k ln2. */
// @ts-ignore: decorator
@inline
export function remainder_f32x4(x: v128, quotient: v128): v128 {
  const k = f32x4.sub(constant<f32>(shifter_f32), quotient);
  const upper = madd<f32>(k, constant<f32>(ln2Upper_f32), x);
  return madd<f32>(k, constant<f32>(ln2Lower_f32), upper);
}

/** r + r^2 (c0 + c1 r + ... + c4 r^4), where `table` holds c0 to c4. */
// @ts-ignore: decorator
@inline
function fromSeries_f32x4(r: v128, table: usize): v128 {
  const square = f32x4.mul(r, r);
  const c0 = madd<f32>(r, constant<f32>(table, 1), constant<f32>(table));
  const c2 = madd<f32>(r, constant<f32>(table, 3), constant<f32>(table, 2));
  const c = madd<f32>(square, madd<f32>(square, constant<f32>(table, 4), c2), c0);
  return madd<f32>(square, c, r);
}

/** e^r - 1 for a remainder r. */
// @ts-ignore: decorator
@inline
export function growth_f32x4(r: v128): v128 {
  return fromSeries_f32x4(r, growth_f32);
}

/** 1 - e^-r for a remainder r. */
// @ts-ignore: decorator
@inline
export function decay_f32x4(r: v128): v128 {
  return fromSeries_f32x4(r, decay_f32);
}

/** 2^floor(k/2). */
// @ts-ignore: decorator
@inline
export function lowerPower_f32x4(quotient: v128): v128 {
  return i32x4.add(i32x4.shl(i32x4.shr_u(quotient, 1), 23), constant<i32>(oneBits_i32));
}

/** 2^ceil(k/2). */
// @ts-ignore: decorator
@inline
export function upperPower_f32x4(quotient: v128): v128 {
  const half = i32x4.shl(i32x4.shr_u(quotient, 1), 23);
  return i32x4.add(i32x4.sub(i32x4.shl(quotient, 23), half), constant<i32>(oneBits_i32));
}

// @ts-ignore: decorator
@inline
export function exp_f32x4(x: v128): v128 {
  const bounded = f32x4.pmax(
    f32x4.pmin(x, constant<f32>(overflow_f32)),
    constant<f32>(vanishing_f32),
  );
  const quotient = quotient_f32x4(bounded);
  const growth = growth_f32x4(remainder_f32x4(bounded, quotient));
  const power = f32x4.add(growth, constant<f32>(one_f32));
  return f32x4.mul(f32x4.mul(power, lowerPower_f32x4(quotient)), upperPower_f32x4(quotient));
}
