import { exp_f64x2, growth_f64x2, lowerPower_f64x2, upperPower_f64x2 } from "./exp";
import { productError } from "./float";
import { carried_f64x2, exponent_f64x2, fraction_f64x2, log_f64x2, normal_f64x2 } from "./log";
import { half_f64, infinity_f64, ln2_f64, one_f64, shifter_f64 } from "./numbers";
import { constant, polynomial } from "./table";

/** 2^66: the power to it of any float64 but 1 overflows or vanishes. */
const mostExponent = memory.data<f64>([7.378697629483821e19]);
/** 2 to the power of it overflows or vanishes. */
const mostPower = memory.data<f64>([1100]);
/** 2/ln2 and 2/(3 ln2), each followed by what it lacks of the exact value. */
const firstTerm = memory.data<f64>([2.8853900817779268]);
const firstTermTail = memory.data<f64>([4.0710547481862066e-17]);
const secondTerm = memory.data<f64>([0.9617966939259756]);
const secondTermTail = memory.data<f64>([5.0577616648125907e-17]);
/**
 * The further terms of 2 atanh(s)/(s ln2), divided by s^4, in s^2 on s^2 <= 0.0295; within 2^-66 of
 * the sum.
 */
const series = memory.data<f64>([
  0.5770780163556196, 0.4121985830912693, 0.32059890237763444, 0.2623076930286557,
  0.22198433482083887, 0.19124798068735163, 0.1904469787430147,
]);

/**
 * Math.pow of |x| > 0, finite, and y: 2^(y log2|x|), with the logarithm as a sum of two numbers, so
 * that the product with y, up to 1100, keeps 54 bits after the point. With x = 2^k m and s = (m -
 * 1)/(m + 1), log2(m) is s (c0 + s^2 (c1 + s^2 Q(s^2))); the products marked by productError carry
 * their rounding errors along.
 */
// @ts-ignore: decorator
@inline
function powerOfMagnitude(x: v128, y: v128): v128 {
  const one = constant<f64>(one_f64);
  const carried = carried_f64x2(normal_f64x2(x));
  const k = exponent_f64x2(x, carried);
  const f = fraction_f64x2(carried);
  const m = f64x2.add(f, one);
  const d = f64x2.add(m, one);
  const dTail = f64x2.sub(m, f64x2.sub(d, one));

  const s = f64x2.div(f, d);
  const sd = f64x2.mul(s, d);
  const rest = f64x2.sub(f64x2.sub(f, sd), productError(s, d, sd));
  const sTail = f64x2.div(f64x2.sub(rest, f64x2.mul(s, dTail)), d);

  const z = f64x2.mul(s, s);
  const twice = f64x2.mul(f64x2.add(s, s), sTail);
  const zTail = f64x2.add(productError(s, s, z), twice);

  const further = f64x2.mul(z, polynomial<f64>(z, series, 6));
  const c1 = constant<f64>(secondTerm);
  const inner = f64x2.add(c1, further);
  const innerTail = f64x2.add(
    f64x2.add(f64x2.sub(c1, inner), further),
    constant<f64>(secondTermTail),
  );

  const product = f64x2.mul(z, inner);
  const productTail = f64x2.add(
    productError(z, inner, product),
    f64x2.add(f64x2.mul(z, innerTail), f64x2.mul(zTail, inner)),
  );

  const c0 = constant<f64>(firstTerm);
  const outer = f64x2.add(c0, product);
  const outerTail = f64x2.add(
    f64x2.add(f64x2.sub(c0, outer), product),
    f64x2.add(productTail, constant<f64>(firstTermTail)),
  );

  const fractional = f64x2.mul(s, outer);
  const fractionalTail = f64x2.add(
    productError(s, outer, fractional),
    f64x2.add(f64x2.mul(s, outerTail), f64x2.mul(sTail, outer)),
  );

  const log = f64x2.add(k, fractional);
  const logTail = f64x2.add(f64x2.add(f64x2.sub(k, log), fractional), fractionalTail);

  const most = constant<f64>(mostExponent);
  const bounded = f64x2.pmax(f64x2.pmin(y, most), f64x2.neg(most));
  const exponent = f64x2.mul(bounded, log);
  const exponentTail = f64x2.add(
    productError(bounded, log, exponent),
    f64x2.mul(bounded, logTail),
  );
  return powerOfTwo(exponent, exponentTail);
}

/** 2^(x + tail). */
// @ts-ignore: decorator
@inline
function powerOfTwo(x: v128, tail: v128): v128 {
  const magic = constant<f64>(shifter_f64);
  const limit = constant<f64>(mostPower);
  const bounded = f64x2.pmax(f64x2.pmin(x, limit), f64x2.neg(limit));
  const inside = v128.and(tail, f64x2.eq(x, bounded));
  const quotient = f64x2.add(bounded, magic);
  const rest = f64x2.add(f64x2.sub(bounded, f64x2.sub(quotient, magic)), inside);
  const growth = growth_f64x2(f64x2.mul(rest, constant<f64>(ln2_f64)));
  const power = f64x2.add(growth, constant<f64>(one_f64));
  return f64x2.mul(f64x2.mul(power, lowerPower_f64x2(quotient)), upperPower_f64x2(quotient));
}

/**
 * `magnitude` = |x|^y with the cases of IEEE 754: a negative x takes integers y only, odd ones turn
 * the sign; y = 0 gives 1, so do x = 1 and -1 to the power of an infinity; NaN otherwise stays.
 */
// @ts-ignore: decorator
@inline
function withCases(magnitude: v128, x: v128, y: v128): v128 {
  const zero = f64x2.splat(0);
  const one = constant<f64>(one_f64);
  const infinity = constant<f64>(infinity_f64);
  const size = f64x2.abs(x);
  const half = f64x2.mul(y, constant<f64>(half_f64));
  const whole = f64x2.eq(f64x2.floor(y), y);
  const odd = v128.and(whole, f64x2.ne(f64x2.floor(half), half));
  const sign = v128.and(v128.and(x, odd), f64x2.splat(-0.0));

  // 0^y and Infinity^y, by the signs of log|x| and y.
  const grows = v128.xor(f64x2.eq(size, zero), f64x2.gt(y, zero));
  const extreme = v128.and(infinity, grows);
  const bounded = v128.or(f64x2.eq(size, zero), f64x2.eq(size, infinity));
  const value = v128.or(v128.bitselect(extreme, magnitude, bounded), sign);

  const fractional = v128.and(
    v128.andnot(f64x2.lt(x, zero), whole),
    f64x2.lt(size, infinity),
  );
  const even = v128.and(f64x2.eq(size, one), f64x2.eq(f64x2.abs(y), infinity));
  const unordered = v128.or(f64x2.ne(x, x), f64x2.ne(y, y));
  const none = v128.or(fractional, unordered);
  const isOne = v128.or(v128.or(f64x2.eq(y, zero), f64x2.eq(x, one)), even);
  return v128.bitselect(one, v128.or(value, none), isOne);
}

export function pow_f64x2(x: v128, y: v128): v128 {
  return withCases(powerOfMagnitude(f64x2.abs(x), y), x, y);
}

/** The power of float32 values: a plain float64 product y log|x| <= 104 is exact enough. */
export function powOfFloat32(x: v128, y: v128): v128 {
  return withCases(exp_f64x2(f64x2.mul(y, log_f64x2(f64x2.abs(x)))), x, y);
}

/**
 * 2^500 and 2^-500, between which squares need no scaling; 2^600 and 2^-600, which scale the
 * others.
 */
const huge = memory.data<f64>([3.273390607896142e150]);
const tiny = memory.data<f64>([3.054936363499605e-151]);
const up = memory.data<f64>([4.149515568880993e180]);
const down = memory.data<f64>([2.409919865102884e-181]);

export function hypot_f64x2(x: v128, y: v128): v128 {
  const a = f64x2.abs(x);
  const b = f64x2.abs(y);
  const largest = f64x2.pmax(a, b);
  const above = f64x2.gt(largest, constant<f64>(huge));
  const below = f64x2.lt(largest, constant<f64>(tiny));
  const one = constant<f64>(one_f64);
  const larger = constant<f64>(up);
  const smaller = constant<f64>(down);
  const scale = v128.bitselect(smaller, v128.bitselect(larger, one, below), above);
  const back = v128.bitselect(larger, v128.bitselect(smaller, one, below), above);
  const p = f64x2.mul(a, scale);
  const q = f64x2.mul(b, scale);
  const root = f64x2.sqrt(f64x2.add(f64x2.mul(p, p), f64x2.mul(q, q)));
  return orInfinity(f64x2.mul(root, back), a, b);
}

/** sqrt(x^2 + y^2) of float32 values, whose squares are exact in float64. */
export function hypotOfFloat32(x: v128, y: v128): v128 {
  const root = f64x2.sqrt(f64x2.add(f64x2.mul(x, x), f64x2.mul(y, y)));
  return orInfinity(root, f64x2.abs(x), f64x2.abs(y));
}

/** Infinity where a side is infinite, even beside a NaN. */
// @ts-ignore: decorator
@inline
function orInfinity(value: v128, a: v128, b: v128): v128 {
  const infinity = constant<f64>(infinity_f64);
  const infinite = v128.or(f64x2.eq(a, infinity), f64x2.eq(b, infinity));
  return v128.bitselect(infinity, value, infinite);
}
