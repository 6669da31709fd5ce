// sigmoid(x) = 1/(1 + e^-x) with e^-x = 2^k (1 + g). With u = 2^max(floor(k/2), 0) and l = 2^k/u
// this is (1/u)/((1/u + l) + l g), where nothing overflows, the first sum is exact or its lost bits
// are known, and only the division rounds into the subnormal range.
import {
  decay_f32x4, exp_f32x4, exp_f64x2, growth_f32x4, growth_f64x2, quotient_f32x4, quotient_f64x2,
  remainder_f32x4, remainder_f64x2,
} from "./exp";
import { compose_f32x4, log1p_f64x2 } from "./log";
import { half_f32, one_f32, oneBits_i32, oneBits_i64 } from "./numbers";
import { constant } from "./table";
import { madd } from "../vector";

/** Where x sigmoid(x) vanishes, and where sigmoid(x) is 1 to the last bit. */
const vanishing_f64 = memory.data<f64>([-760]);
const saturated_f64 = memory.data<f64>([700]);
const vanishing_f32 = memory.data<f32>([-110]);
const saturated_f32 = memory.data<f32>([87]);
/** From here on 1 + e^-x has all digits of its terms that count. */
const plainSum_f32 = memory.data<f32>([-16]);
const minusOneBits_i32 = memory.data<u32>([0xbf800000]);
/** sqrt(2) - 1. */
const rootTwoLessOne_f32 = memory.data<f32>([0.41421356]);

/** max(floor(k/2), 0) in the place of an exponent. */
// @ts-ignore: decorator
@inline
function upperExponent_f64x2(quotient: v128): v128 {
  const half = i64x2.shl(i64x2.shr_u(quotient, 1), 52);
  return v128.and(half, i64x2.gt_s(half, i64x2.splat(0)));
}

/** (x/u)/((1/u + l) + l g), or with 1/u as the numerator. */
// @ts-ignore: decorator
@inline
function logistic_f64x2(x: v128, timesX: bool): v128 {
  const bounded = f64x2.pmax(x, constant<f64>(vanishing_f64));
  const exponent = f64x2.neg(f64x2.pmin(bounded, constant<f64>(saturated_f64)));
  const quotient = quotient_f64x2(exponent);
  const growth = growth_f64x2(remainder_f64x2(exponent, quotient));
  const one = constant<i64>(oneBits_i64);
  const upper = upperExponent_f64x2(quotient);
  const inverse = i64x2.sub(one, upper);
  const lower = i64x2.add(one, i64x2.sub(i64x2.shl(quotient, 52), upper));
  const sum = f64x2.add(inverse, lower);
  const lost = f64x2.sub(inverse, f64x2.sub(sum, lower));
  const denominator = f64x2.add(sum, f64x2.add(f64x2.mul(lower, growth), lost));
  return f64x2.div(timesX ? f64x2.mul(bounded, inverse) : inverse, denominator);
}

// @ts-ignore: decorator
@inline
export function sigmoid_f64x2(x: v128): v128 {
  return logistic_f64x2(x, false);
}

// @ts-ignore: decorator
@inline
export function silu_f64x2(x: v128): v128 {
  return logistic_f64x2(x, true);
}

// @ts-ignore: decorator
@inline
function logistic_f32x4(x: v128, timesX: bool): v128 {
  const bounded = f32x4.pmax(x, constant<f32>(vanishing_f32));
  const exponent = f32x4.neg(f32x4.pmin(bounded, constant<f32>(saturated_f32)));
  const quotient = quotient_f32x4(exponent);
  const growth = growth_f32x4(remainder_f32x4(exponent, quotient));
  const one = constant<i32>(oneBits_i32);
  const half = i32x4.shl(i32x4.shr_u(quotient, 1), 23);
  const upper = i32x4.max_s(half, i32x4.splat(0));
  const inverse = i32x4.sub(one, upper);
  const lower = i32x4.add(one, i32x4.sub(i32x4.shl(quotient, 23), upper));
  const sum = f32x4.add(inverse, lower);
  const lost = f32x4.sub(inverse, f32x4.sub(sum, lower));
  const denominator = f32x4.add(sum, f32x4.add(f32x4.mul(lower, growth), lost));
  return f32x4.div(timesX ? f32x4.mul(bounded, inverse) : inverse, denominator);
}

/**
 * sigmoid(x) where it is small; apart, since that is rare, and exported, so that `sigmoid` can
 * stand in other modules in the place of a call.
 */
export function smallSigmoid_f32x4(x: v128): v128 {
  return logistic_f32x4(x, false);
}

/** With x = k ln2 + r and p = -2^-k: 1/((1 - p) + p (1 - e^-r)). */
// @ts-ignore: decorator
@inline
export function sigmoid_f32x4(x: v128): v128 {
  const one = constant<f32>(one_f32);
  const bounded = f32x4.pmin(x, constant<f32>(saturated_f32));
  const quotient = quotient_f32x4(bounded);
  const decay = decay_f32x4(remainder_f32x4(bounded, quotient));
  const power = i32x4.sub(constant<u32>(minusOneBits_i32), i32x4.shl(quotient, 23));
  const plain = f32x4.div(one, madd<f32>(power, decay, f32x4.sub(one, power)));
  const low = f32x4.lt(x, constant<f32>(plainSum_f32));
  if (!v128.any_true(low)) return plain;
  return v128.bitselect(smallSigmoid_f32x4(x), plain, low);
}

// @ts-ignore: decorator
@inline
export function silu_f32x4(x: v128): v128 {
  return logistic_f32x4(x, true);
}

// @ts-ignore: decorator
@inline
function negativeMagnitude<T>(x: v128): v128 {
  return v128.neg<T>(v128.abs<T>(x));
}

/** max(x, 0) + log(1 + e) with e = exp(-|x|). */
export function softplus_f64x2(x: v128): v128 {
  const log = log1p_f64x2(exp_f64x2(negativeMagnitude<f64>(x)));
  return f64x2.add(f64x2.pmax(x, f64x2.splat(0)), log);
}

/**
 * log(1 + e) for 0 <= e <= 1: 1 + e is 2^k (1 + f) with f = e, or f = (e - 1)/2 once 1 + e passes
 * sqrt(2).
 */
// @ts-ignore: decorator
@inline
function log1pOfPower_f32x4(e: v128): v128 {
  const one = constant<f32>(one_f32);
  const carried = f32x4.gt(e, constant<f32>(rootTwoLessOne_f32));
  const halved = f32x4.mul(f32x4.sub(e, one), constant<f32>(half_f32));
  return compose_f32x4(v128.and(carried, one), v128.bitselect(halved, e, carried));
}

// @ts-ignore: decorator
@inline
export function softplus_f32x4(x: v128): v128 {
  const log = log1pOfPower_f32x4(exp_f32x4(negativeMagnitude<f32>(x)));
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), log);
}
