// x = 2^k m with sqrt(1/2) <= m < sqrt(2); with f = m - 1 and s = f/(2 + f), log(1 + f) = 2
// atanh(s) = f - (f^2/2 - s (f^2/2 + R)), R = 2s^2/3 + 2s^4/5 + ..., which keeps f exact (as in
// fdlibm's e_log.c).
import { sumError, withSign } from "./float";
import {
  half_f32, infinity_f32, ln2Lower_f32, ln2Upper_f32, one_f32, two_f32, half_f64, infinity_f64,
  ln2Lower_f64, ln2Upper_f64, one_f64, two_f64,
} from "./numbers";
import { constant, polynomial } from "./table";
import { madd } from "../vector";

/** Subnormal numbers are lifted by 2^54 (2^25), which their exponents then lack. */
const leastNormal_f64 = memory.data<f64>([2.2250738585072014e-308]);
const lift_f64 = memory.data<f64>([18014398509481984]);
const leastNormal_f32 = memory.data<f32>([1.17549435e-38]);
const lift_f32 = memory.data<f32>([33554432]);
/** Added to the bits of a number, it carries into the exponent where m would be sqrt(2) or more. */
const carry_i64 = memory.data<i64>([0x3ff0000000000000 - 0x3fe6a09e667f3bcd]);
const carry_i32 = memory.data<i32>([0x3f800000 - 0x3f3504f3]);
const rootHalf_i64 = memory.data<i64>([0x3fe6a09e667f3bcd]);
const rootHalf_i32 = memory.data<i32>([0x3f3504f3]);
const mantissaMask_i64 = memory.data<i64>([0x000fffffffffffff]);
const mantissaMask_i32 = memory.data<i32>([0x007fffff]);
/** The bits of 2^52, whose low ones take an integer. */
const integerBits_i64 = memory.data<i64>([0x4330000000000000]);
/** The exponent's bias, on top of 2^52 in float64, and the same after lifting. */
const bias_f64 = memory.data<f64>([4503599627370496 + 1023]);
const liftedBias_f64 = memory.data<f64>([4503599627370496 + 1023 + 54]);
const bias_i32 = memory.data<i32>([127]);
const liftedBias_i32 = memory.data<i32>([127 + 25]);
/** (2 atanh(s)/s - 2)/s^2 in s^2 on s^2 <= 0.0295, within 2^-59 of 2 atanh(s)/s. */
const series_f64 = memory.data<f64>([
  0.6666666666666736, 0.39999999999405383, 0.2857142874409988, 0.2222219842096405,
  0.181835713839169, 0.15313886090294743, 0.14797471593402337,
]);
/** (2 atanh(s)/s - 2)/s^2 in s^2 on s^2 <= 0.0295, within 2^-30 of 2 atanh(s)/s. */
const series_f32 = memory.data<f32>([0.666667759, 0.399775863, 0.298706949]);

/** The bits of a normal x > 0 with the exponent raised where m would be sqrt(2) or more. */
// @ts-ignore: decorator
@inline
export function carried_f64x2(x: v128): v128 {
  return i64x2.add(x, constant<i64>(carry_i64));
}

/** m - 1. */
// @ts-ignore: decorator
@inline
export function fraction_f64x2(carried: v128): v128 {
  const mantissa = i64x2.add(
    v128.and(carried, constant<i64>(mantissaMask_i64)),
    constant<i64>(rootHalf_i64),
  );
  return f64x2.sub(mantissa, constant<f64>(one_f64));
}

/** k + 1023 + 2^52. */
// @ts-ignore: decorator
@inline
function biased_f64x2(carried: v128): v128 {
  return v128.or(i64x2.shr_u(carried, 52), constant<i64>(integerBits_i64));
}

/** x, or x 2^54 where x is subnormal. */
// @ts-ignore: decorator
@inline
export function normal_f64x2(x: v128): v128 {
  const tiny = f64x2.lt(x, constant<f64>(leastNormal_f64));
  return v128.bitselect(f64x2.mul(x, constant<f64>(lift_f64)), x, tiny);
}

/** k of x, given `carried_f64x2(normal_f64x2(x))`. */
// @ts-ignore: decorator
@inline
export function exponent_f64x2(x: v128, carried: v128): v128 {
  const tiny = f64x2.lt(x, constant<f64>(leastNormal_f64));
  const bias = v128.bitselect(constant<f64>(liftedBias_f64), constant<f64>(bias_f64), tiny);
  return f64x2.sub(biased_f64x2(carried), bias);
}

/** k ln2 + log(1 + f) + `correction`, which is small beside f. */
// @ts-ignore: decorator
@inline
function compose_f64x2(k: v128, f: v128, correction: v128): v128 {
  const s = f64x2.div(f, f64x2.add(f, constant<f64>(two_f64)));
  const half = f64x2.mul(f64x2.mul(f, f), constant<f64>(half_f64));
  const z = f64x2.mul(s, s);
  const rest = madd<f64>(z, polynomial<f64>(z, series_f64, 6), half);
  const lower = madd<f64>(k, constant<f64>(ln2Lower_f64), madd<f64>(s, rest, correction));
  const tail = f64x2.sub(f64x2.sub(half, lower), f);
  return f64x2.sub(f64x2.mul(k, constant<f64>(ln2Upper_f64)), tail);
}

/** `value` where x is positive and finite; -Infinity at 0, Infinity at Infinity, NaN elsewhere. */
// @ts-ignore: decorator
@inline
export function orLimit_f64x2(value: v128, x: v128): v128 {
  const zero = f64x2.splat(0);
  const infinity = constant<f64>(infinity_f64);
  const limit = v128.bitselect(f64x2.neg(infinity), f64x2.sqrt(x), f64x2.eq(x, zero));
  const ordinary = v128.and(f64x2.gt(x, zero), f64x2.lt(x, infinity));
  return v128.bitselect(value, limit, ordinary);
}

// @ts-ignore: decorator
@inline
export function log_f64x2(x: v128): v128 {
  const carried = carried_f64x2(normal_f64x2(x));
  const k = exponent_f64x2(x, carried);
  return orLimit_f64x2(compose_f64x2(k, fraction_f64x2(carried), f64x2.splat(0)), x);
}

/**
 * k log_b(2) + log(m)/log(b), given log_b(2) in two parts and 1/log(b): exact at powers of 2 for
 * b = 2.
 */
export function logBase_f64x2(x: v128, upper: v128, lower: v128, inverse: v128): v128 {
  const carried = carried_f64x2(normal_f64x2(x));
  const k = exponent_f64x2(x, carried);
  const zero = f64x2.splat(0);
  const fraction = f64x2.mul(inverse, compose_f64x2(zero, fraction_f64x2(carried), zero));
  const value = f64x2.add(f64x2.mul(k, upper), f64x2.add(f64x2.mul(k, lower), fraction));
  return orLimit_f64x2(value, x);
}

/** With u = fl(1 + x) and c = (1 + x) - u: log(1 + x) = log(u) + log(1 + c/u). */
export function log1p_f64x2(x: v128): v128 {
  const one = constant<f64>(one_f64);
  const u = f64x2.add(one, x);
  const correction = f64x2.div(sumError(one, x, u), u);
  const carried = carried_f64x2(u);
  const k = f64x2.sub(biased_f64x2(carried), constant<f64>(bias_f64));
  const value = orLimit_f64x2(compose_f64x2(k, fraction_f64x2(carried), correction), u);
  return withSign<f64>(f64x2.abs(value), x);
}

/** k ln2 + log(1 + f). */
// @ts-ignore: decorator
@inline
export function compose_f32x4(k: v128, f: v128): v128 {
  const s = f32x4.div(f, f32x4.add(f, constant<f32>(two_f32)));
  const half = f32x4.mul(f32x4.mul(f, f), constant<f32>(half_f32));
  const z = f32x4.mul(s, s);
  const rest = madd<f32>(z, polynomial<f32>(z, series_f32, 2), half);
  const lower = madd<f32>(k, constant<f32>(ln2Lower_f32), f32x4.mul(s, rest));
  const tail = f32x4.sub(f32x4.sub(half, lower), f);
  return f32x4.sub(f32x4.mul(k, constant<f32>(ln2Upper_f32)), tail);
}

// @ts-ignore: decorator
@inline
export function log_f32x4(x: v128): v128 {
  const tiny = f32x4.lt(x, constant<f32>(leastNormal_f32));
  const normal = v128.bitselect(f32x4.mul(x, constant<f32>(lift_f32)), x, tiny);
  const carried = i32x4.add(normal, constant<i32>(carry_i32));
  const mantissa = i32x4.add(
    v128.and(carried, constant<i32>(mantissaMask_i32)),
    constant<i32>(rootHalf_i32),
  );
  const bias = v128.bitselect(constant<i32>(liftedBias_i32), constant<i32>(bias_i32), tiny);
  const k = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(carried, 23), bias));
  const value = compose_f32x4(k, f32x4.sub(mantissa, constant<f32>(one_f32)));
  const zero = f32x4.splat(0);
  const infinity = constant<f32>(infinity_f32);
  const limit = v128.bitselect(f32x4.neg(infinity), f32x4.sqrt(x), f32x4.eq(x, zero));
  const ordinary = v128.and(f32x4.gt(x, zero), f32x4.lt(x, infinity));
  return v128.bitselect(value, limit, ordinary);
}
