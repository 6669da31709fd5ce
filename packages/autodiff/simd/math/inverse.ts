import { withSign } from "./float";
import { half_f64, one_f64, two_f64 } from "./numbers";
import { constant, polynomial } from "./table";
import { madd } from "../vector";

/** tan(pi/8) and tan(3 pi/8). */
const tanEighth = memory.data<f64>([0.41421356237309503]);
const tanThreeEighths = memory.data<f64>([2.414213562373095]);
/** Angles and what their float64 lack of the exact values. */
const pi = memory.data<f64>([3.141592653589793]);
const piTail = memory.data<f64>([1.2246467991473532e-16]);
const halfPi = memory.data<f64>([1.5707963267948966]);
const halfPiTail = memory.data<f64>([6.123233995736766e-17]);
const quarterPi = memory.data<f64>([0.7853981633974483]);
const quarterPiTail = memory.data<f64>([3.061616997868383e-17]);
/** (asin(x)/x - 1)/x^2 in x^2 on |x| <= 1/2, within 2^-59 of asin(x)/x. */
const arcsineSeries = memory.data<f64>([
  0.1666666666666676, 0.07499999999971048, 0.044642857174297765, 0.030381942724964518,
  0.02237221446897879, 0.017351621680535938, 0.01398070256804337, 0.011399883105498927,
  0.010774824438216462, 0.0037267448301756185, 0.021658578249008832, -0.020930973186465963,
  0.032586801610281546,
]);
/** (atan(x)/x - 1)/x^2 in x^2 on |x| <= tan(pi/8), within 2^-63 of atan(x)/x. */
const arctangentSeries = memory.data<f64>([
  -0.33333333333333326, 0.19999999999997253, -0.1428571428534704, 0.11111111086072867,
  -0.09090908079918154, 0.07692281488079437, -0.06666210170617641, 0.05876876392452318,
  -0.05217558020028948, 0.04500411999672771, -0.033407416122580795, 0.01513230264776857,
]);

/** asin(s) - s, given z = s^2. */
// @ts-ignore: decorator
@inline
function arcsineTail(s: v128, z: v128): v128 {
  return f64x2.mul(f64x2.mul(s, z), polynomial<f64>(z, arcsineSeries, 12));
}

/** Beyond 1/2: asin(x) = pi/2 - 2 asin(s) with s^2 = (1 - x)/2. */
export function asin_f64x2(x: v128): v128 {
  const t = f64x2.abs(x);
  const far = f64x2.gt(t, constant<f64>(half_f64));
  const complement = f64x2.mul(f64x2.sub(constant<f64>(one_f64), t), constant<f64>(half_f64));
  const z = v128.bitselect(complement, f64x2.mul(t, t), far);
  const s = v128.bitselect(f64x2.sqrt(complement), t, far);
  const tail = arcsineTail(s, z);
  const folded = f64x2.sub(
    constant<f64>(quarterPi),
    f64x2.sub(f64x2.mul(constant<f64>(two_f64), tail), constant<f64>(halfPiTail)),
  );
  const beyond = f64x2.add(
    f64x2.sub(constant<f64>(quarterPi), f64x2.mul(constant<f64>(two_f64), s)),
    folded,
  );
  return withSign<f64>(v128.bitselect(beyond, f64x2.add(s, tail), far), x);
}

/** pi/2 - asin(x); 2 asin(s) with s^2 = (1 - |x|)/2 beyond 1/2, taken from pi where x < 0. */
export function acos_f64x2(x: v128): v128 {
  const t = f64x2.abs(x);
  const far = f64x2.gt(t, constant<f64>(half_f64));
  const negative = f64x2.lt(x, f64x2.splat(0));
  const complement = f64x2.mul(f64x2.sub(constant<f64>(one_f64), t), constant<f64>(half_f64));
  const z = v128.bitselect(complement, f64x2.mul(t, t), far);
  const s = v128.bitselect(f64x2.sqrt(complement), x, far);
  const tail = arcsineTail(s, z);
  const near = f64x2.sub(
    constant<f64>(halfPi),
    f64x2.sub(s, f64x2.sub(constant<f64>(halfPiTail), tail)),
  );
  const sum = f64x2.add(s, tail);
  const double = f64x2.add(sum, sum);
  const opposite = f64x2.sub(
    constant<f64>(pi),
    f64x2.sub(double, constant<f64>(piTail)),
  );
  return v128.bitselect(v128.bitselect(opposite, double, negative), near, far);
}

/**
 * atan(t) for t >= 0, with u the argument reduced to |u| <= tan(pi/8):
 * atan(t) = pi/2 + atan(-1/t) = pi/4 + atan((t - 1)/(t + 1)).
 */
// @ts-ignore: decorator
@inline
function arctangent(t: v128): v128 {
  const one = constant<f64>(one_f64);
  const middle = f64x2.gt(t, constant<f64>(tanEighth));
  const far = f64x2.gt(t, constant<f64>(tanThreeEighths));
  const numerator = v128.bitselect(
    f64x2.neg(one),
    v128.bitselect(f64x2.sub(t, one), t, middle),
    far,
  );
  const denominator = v128.bitselect(
    t,
    v128.bitselect(f64x2.add(t, one), one, middle),
    far,
  );
  const u = f64x2.div(numerator, denominator);
  const z = f64x2.mul(u, u);
  const tail = f64x2.mul(f64x2.mul(u, z), polynomial<f64>(z, arctangentSeries, 11));
  const angle = v128.bitselect(constant<f64>(halfPi), constant<f64>(quarterPi), far);
  const angleTail = v128.bitselect(constant<f64>(halfPiTail), constant<f64>(quarterPiTail), far);
  const beyond = f64x2.add(angle, f64x2.add(u, f64x2.add(tail, angleTail)));
  return v128.bitselect(beyond, f64x2.add(u, tail), middle);
}

export function atan_f64x2(x: v128): v128 {
  return withSign<f64>(arctangent(f64x2.abs(x)), x);
}

/** The angle of the point (x, y), from the ratio of its smaller to its larger coordinate. */
export function atan2_f64x2(y: v128, x: v128): v128 {
  const height = f64x2.abs(y);
  const width = f64x2.abs(x);
  const steep = f64x2.gt(height, width);
  const smaller = v128.bitselect(width, height, steep);
  const larger = v128.bitselect(height, width, steep);
  const zero = f64x2.splat(0);
  const ratio = f64x2.div(smaller, larger);
  // Two zeros make an angle like (1, 0), two infinities one like (1, 1).
  const settled = v128.bitselect(
    v128.andnot(constant<f64>(one_f64), f64x2.eq(larger, zero)),
    ratio,
    f64x2.eq(smaller, larger),
  );
  const base = arctangent(settled);
  const steepAngle = f64x2.sub(
    constant<f64>(halfPi),
    f64x2.sub(base, constant<f64>(halfPiTail)),
  );
  const right = v128.bitselect(steepAngle, base, steep);
  const left = f64x2.sub(constant<f64>(pi), f64x2.sub(right, constant<f64>(piTail)));
  // The sign bit of x, which -0 has too.
  const leftward = i64x2.shr_s(x, 63);
  const value = withSign<f64>(f64x2.abs(v128.bitselect(left, right, leftward)), y);
  return v128.bitselect(value, f64x2.add(x, y), v128.and(f64x2.eq(x, x), f64x2.eq(y, y)));
}
