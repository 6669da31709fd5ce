import { expm1_f64x2, halfExp_f64x2 } from "./exp";
import { withSign } from "./float";
import { log1p_f64x2 } from "./log";
import { half_f32, one_f32, half_f64, ln2_f64, one_f64, quarter_f64, two_f64 } from "./numbers";
import { constant, polynomial } from "./table";
import { madd } from "../vector";

/** Where sinh and cosh overflow for certain. */
const overflow = memory.data<f64>([711]);
/** Where tanh is 1 to the last bit. */
const saturated_f64 = memory.data<f64>([20]);
const saturated_f32 = memory.data<f32>([9.5]);
/** 2^28, beyond which t^2 + 1 is t^2. */
const large = memory.data<f64>([268435456]);
/** A little less than 2/ln2, so that n = 0 up to 0.711. */
const inverseHalfLn2_f32 = memory.data<f32>([2.8125]);
const halfLn2_f32 = memory.data<f32>([0.346573591]);
/** 1.5*2^25: added to a number below 2^24, it leaves the nearest multiple of 4. */
const quadrupleShifter_f32 = memory.data<f32>([50331648]);
/** (sinh(x)/x - 1)/x^2 in x^2 on |x| <= 1, within 2^-61 of sinh(x)/x. */
const sineSeries = memory.data<f64>([
  0.16666666666666669, 0.00833333333333297, 0.00019841269841531207, 2.7557319130375767e-6,
  2.505212685690459e-8, 1.605700044076648e-10, 7.765900472308424e-13,
]);
/** (tanh(r)/r - 1)/r^2 in r^2 on |r| <= 0.7254, within 2^-25.2 of tanh(r)/r. */
const tangentSeries = memory.data<f32>([
  -0.333331257, 0.133277446, -0.0534689091, 0.0198601428, -0.00493408274,
]);

/** e^t/2 - e^-t/2 = h - 1/(4h) with h = e^t/2 beyond 1. */
export function sinh_f64x2(x: v128): v128 {
  const t = f64x2.abs(x);
  const half = halfExp_f64x2(f64x2.pmin(t, constant<f64>(overflow)));
  const far = f64x2.sub(half, f64x2.div(constant<f64>(quarter_f64), half));
  const z = f64x2.mul(t, t);
  const near = madd<f64>(f64x2.mul(t, z), polynomial<f64>(z, sineSeries, 6), t);
  const value = v128.bitselect(near, far, f64x2.lt(t, constant<f64>(one_f64)));
  return withSign<f64>(value, x);
}

export function cosh_f64x2(x: v128): v128 {
  const half = halfExp_f64x2(f64x2.pmin(f64x2.abs(x), constant<f64>(overflow)));
  return f64x2.add(half, f64x2.div(constant<f64>(quarter_f64), half));
}

/** With E = e^(2t) - 1: E/(E + 2) below 1/2, 1 - 2/(E + 2) above. */
export function tanh_f64x2(x: v128): v128 {
  const one = constant<f64>(one_f64);
  const two = constant<f64>(two_f64);
  const t = f64x2.pmin(f64x2.abs(x), constant<f64>(saturated_f64));
  const e = expm1_f64x2(f64x2.add(t, t));
  const near = f64x2.lt(t, constant<f64>(half_f64));
  const quotient = f64x2.div(v128.bitselect(e, two, near), f64x2.add(e, two));
  return withSign<f64>(v128.bitselect(quotient, f64x2.sub(one, quotient), near), x);
}

/** log(t + sqrt(t^2 + 1)) = log1p(t + t^2/(1 + sqrt(t^2 + 1))). */
export function asinh_f64x2(x: v128): v128 {
  const one = constant<f64>(one_f64);
  const t = f64x2.abs(x);
  const far = f64x2.gt(t, constant<f64>(large));
  const z = f64x2.mul(t, t);
  const root = f64x2.sqrt(f64x2.add(z, one));
  const near = f64x2.add(t, f64x2.div(z, f64x2.add(one, root)));
  const log = log1p_f64x2(v128.bitselect(f64x2.sub(t, one), near, far));
  const value = f64x2.add(log, v128.and(constant<f64>(ln2_f64), far));
  return withSign<f64>(value, x);
}

/** With t = x - 1: log1p(t + sqrt(t (t + 2))). */
export function acosh_f64x2(x: v128): v128 {
  const one = constant<f64>(one_f64);
  const t = f64x2.sub(x, one);
  const far = f64x2.gt(x, constant<f64>(large));
  const root = f64x2.sqrt(f64x2.mul(t, f64x2.add(t, constant<f64>(two_f64))));
  const log = log1p_f64x2(v128.bitselect(t, f64x2.add(t, root), far));
  const value = f64x2.add(log, v128.and(constant<f64>(ln2_f64), far));
  return v128.bitselect(f64x2.sqrt(t), value, f64x2.lt(x, one));
}

/** log1p(2t + 2t^2/(1 - t))/2; NaN, all bits set, beyond 1. */
export function atanh_f64x2(x: v128): v128 {
  const t = f64x2.abs(x);
  const double = f64x2.add(t, t);
  const rest = f64x2.div(f64x2.mul(double, t), f64x2.sub(constant<f64>(one_f64), t));
  const log = log1p_f64x2(f64x2.add(double, rest));
  const value = withSign<f64>(f64x2.mul(f64x2.abs(log), constant<f64>(half_f64)), x);
  return v128.or(value, f64x2.gt(t, constant<f64>(one_f64)));
}

/** tanh(r) for |r| <= 0.7254. */
// @ts-ignore: decorator
@inline
function tangent_f32x4(r: v128): v128 {
  const z = f32x4.mul(r, r);
  const square = f32x4.mul(z, z);
  const c0 = madd<f32>(z, constant<f32>(tangentSeries, 1), constant<f32>(tangentSeries));
  const c2 = madd<f32>(z, constant<f32>(tangentSeries, 3), constant<f32>(tangentSeries, 2));
  const c = madd<f32>(square, madd<f32>(square, constant<f32>(tangentSeries, 4), c2), c0);
  return madd<f32>(f32x4.mul(r, z), c, r);
}

/**
 * With |x| = 2n ln2 + r, p = 16^n and s = tanh(r), the addition theorem gives
 * tanh|x| = 1 - (1 - s)/((p + 1)/2 + s (p - 1)/2), and s itself for n = 0. What r loses where it is
 * rounded, or beyond the interval of the series, counts for less than a unit: 1 - tanh^2 is small
 * there.
 */
// @ts-ignore: decorator
@inline
export function tanh_f32x4(x: v128): v128 {
  const one = constant<f32>(one_f32);
  const half = constant<f32>(half_f32);
  const shifter = constant<f32>(quadrupleShifter_f32);
  const t = f32x4.pmin(f32x4.abs(x), constant<f32>(saturated_f32));
  const quotient = madd<f32>(t, constant<f32>(inverseHalfLn2_f32), shifter);
  const r = madd<f32>(f32x4.sub(shifter, quotient), constant<f32>(halfLn2_f32), t);
  const s = tangent_f32x4(r);
  // The exponent of p/2.
  const power = i32x4.add(i32x4.shl(quotient, 25), half);
  const sum = madd<f32>(f32x4.sub(power, half), s, f32x4.add(power, half));
  const far = f32x4.sub(one, f32x4.div(f32x4.sub(one, s), sum));
  return withSign<f32>(v128.bitselect(s, far, f32x4.eq(quotient, shifter)), x);
}
