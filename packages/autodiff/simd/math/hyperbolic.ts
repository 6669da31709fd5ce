import {
  expm1_f64x2, growth_f32x4, halfExp_f64x2, quotient_f32x4, remainder_f32x4, wholePower_f32x4,
} from "./exp";
import { withSign } from "./float";
import { log1p_f64x2 } from "./log";
import { one_f32, two_f32, half_f64, ln2_f64, one_f64, quarter_f64, two_f64 } from "./numbers";
import { constant, polynomial } from "./table";
import { madd } from "../vector";

/** Where sinh and cosh overflow for certain. */
const overflow = memory.data<f64>([711]);
/** Where tanh is 1 to the last bit. */
const saturated_f64 = memory.data<f64>([20]);
const saturated_f32 = memory.data<f32>([10]);
/** 2^28, beyond which t^2 + 1 is t^2. */
const large = memory.data<f64>([268435456]);
/** Where the polynomial of tanh ends. */
const threshold_f32 = memory.data<f32>([0.55]);
/** (sinh(x)/x - 1)/x^2 in x^2 on |x| <= 1, within 2^-61 of sinh(x)/x. */
const sineSeries = memory.data<f64>([
  0.16666666666666669, 0.00833333333333297, 0.00019841269841531207, 2.7557319130375767e-6,
  2.505212685690459e-8, 1.605700044076648e-10, 7.765900472308424e-13,
]);
/** (tanh(x)/x - 1)/x^2 in x^2 on |x| <= 0.55, within 2^-24.6 of tanh(x)/x. */
const tangentSeries = memory.data<f32>([
  -0.333329409, 0.133206397, -0.0526678488, 0.0164317321,
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

/** 1 - 2/(e^(2t) + 1) beyond 0.55, with e^(2t) = 2^k (1 + g); a polynomial below. */
// @ts-ignore: decorator
@inline
export function tanh_f32x4(x: v128): v128 {
  const one = constant<f32>(one_f32);
  const t = f32x4.pmin(f32x4.abs(x), constant<f32>(saturated_f32));
  const double = f32x4.add(t, t);
  const quotient = quotient_f32x4(double);
  const growth = growth_f32x4(remainder_f32x4(double, quotient));
  const power = wholePower_f32x4(quotient);
  const sum = madd<f32>(power, growth, f32x4.add(power, one));
  const far = f32x4.sub(one, f32x4.div(constant<f32>(two_f32), sum));
  const z = f32x4.mul(t, t);
  const near = madd<f32>(f32x4.mul(t, z), polynomial<f32>(z, tangentSeries, 3), t);
  const value = v128.bitselect(near, far, f32x4.lt(t, constant<f32>(threshold_f32)));
  return withSign<f32>(value, x);
}
