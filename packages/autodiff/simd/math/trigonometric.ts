import { half_f64, one_f64 } from "./numbers";
import { quadrant, reduce, reduced, reducedTail } from "./reduction";
import { constant, polynomial } from "./table";

const firstBit = memory.data<i64>([1]);
const secondBit = memory.data<i64>([2]);
/** (sin(r)/r - 1)/r^2 in r^2 on |r| <= pi/4, within 2^-57 of sin(r)/r. */
const sineSeries = memory.data<f64>([
  -0.1666666666666663, 0.008333333333321974, -0.000198412698295229, 2.7557313608031443e-6,
  -2.505074662800555e-8, 1.5896201015007677e-10,
]);
/** (cos(r) - 1 + r^2/2)/r^4 in r^2 on |r| <= pi/4, within 2^-63 of cos(r). */
const cosineSeries = memory.data<f64>([
  0.04166666666666659, -0.0013888888888872347, 2.480158728846744e-5, -2.7557314080711417e-7,
  2.0875688730829875e-9, -1.1357962206478123e-11,
]);

/** sin(r + tail) = r + r^3 S(r^2) + tail (1 - r^2/2). */
// @ts-ignore: decorator
@inline
function sineOfRemainder(r: v128, tail: v128): v128 {
  const z = f64x2.mul(r, r);
  const half = f64x2.mul(z, constant<f64>(half_f64));
  const cubic = f64x2.mul(f64x2.mul(z, r), polynomial<f64>(z, sineSeries, 5));
  const scaled = f64x2.sub(tail, f64x2.mul(tail, half));
  return f64x2.add(r, f64x2.add(cubic, scaled));
}

/** cos(r + tail) = 1 - r^2/2 + r^4 C(r^2) - r tail. */
// @ts-ignore: decorator
@inline
function cosineOfRemainder(r: v128, tail: v128): v128 {
  const one = constant<f64>(one_f64);
  const z = f64x2.mul(r, r);
  const half = f64x2.mul(z, constant<f64>(half_f64));
  const upper = f64x2.sub(one, half);
  const quartic = f64x2.mul(f64x2.mul(z, z), polynomial<f64>(z, cosineSeries, 5));
  const lower = f64x2.sub(quartic, f64x2.mul(r, tail));
  return f64x2.add(upper, f64x2.add(f64x2.sub(f64x2.sub(one, upper), half), lower));
}

/** The sign bit where the second bit of q is set. */
// @ts-ignore: decorator
@inline
function turned(q: v128): v128 {
  return i64x2.shl(v128.and(q, constant<i64>(secondBit)), 62);
}

/** All ones where q is odd, which swaps sine and cosine. */
// @ts-ignore: decorator
@inline
function odd(q: v128): v128 {
  return i64x2.eq(v128.and(q, constant<i64>(firstBit)), constant<i64>(firstBit));
}

export function sin_f64x2(x: v128): v128 {
  reduce(x);
  const r = reduced();
  const tail = reducedTail();
  const q = quadrant();
  const value = v128.bitselect(cosineOfRemainder(r, tail), sineOfRemainder(r, tail), odd(q));
  return v128.bitselect(x, v128.xor(value, turned(q)), f64x2.eq(x, f64x2.splat(0)));
}

export function cos_f64x2(x: v128): v128 {
  reduce(x);
  const r = reduced();
  const tail = reducedTail();
  const q = i64x2.add(quadrant(), constant<i64>(firstBit));
  const value = v128.bitselect(cosineOfRemainder(r, tail), sineOfRemainder(r, tail), odd(q));
  return v128.xor(value, turned(q));
}

/** sin/cos, or -cos/sin in the odd quadrants. */
export function tan_f64x2(x: v128): v128 {
  reduce(x);
  const r = reduced();
  const tail = reducedTail();
  const swapped = odd(quadrant());
  const sine = sineOfRemainder(r, tail);
  const cosine = cosineOfRemainder(r, tail);
  const numerator = v128.bitselect(f64x2.neg(cosine), sine, swapped);
  const value = f64x2.div(numerator, v128.bitselect(sine, cosine, swapped));
  return v128.bitselect(x, value, f64x2.eq(x, f64x2.splat(0)));
}
