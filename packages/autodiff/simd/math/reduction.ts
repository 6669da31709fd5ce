// x = q pi/2 + r with |r| <= pi/4: only q modulo 4 matters to a function of period 2 pi.
import { reductionRoom } from "../room";
import { sumError } from "./float";
import { shifter_f64 } from "./numbers";
import { constant } from "./table";

const inverseHalfPi = memory.data<f64>([0.6366197723675814]);
/** |x| below it takes the first method. */
const nearBound = memory.data<f64>([1048576]);
const lowBits = memory.data<i64>([3]);
/** pi/2 in parts, the first three of 33 bits, so that their products with q < 2^20 are exact. */
const parts = memory.data<f64>([
  1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32,
]);
/** 2/pi in binary, its first 1280 bits after 64 zeros. */
const twoOverPi = memory.data<u64>([
  0, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
  0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
  0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
  0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
  0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d,
]);
// @ts-ignore: decorator
@inline
export function reduced(): v128 {
  return v128.load(reductionRoom());
}

// @ts-ignore: decorator
@inline
export function reducedTail(): v128 {
  return v128.load(reductionRoom(), 16);
}

// @ts-ignore: decorator
@inline
export function quadrant(): v128 {
  return v128.load(reductionRoom(), 32);
}

/**
 * Reduces both lanes of x, by Cody & Waite 1980 or, lane by lane, by Payne & Hanek 1983: leaves r,
 * what r lacks of its exact value, and q modulo 4 in the room, as two lanes each.
 */
export function reduce(x: v128): void {
  const result = reductionRoom();
  const sum = f64x2.add(f64x2.mul(x, constant<f64>(inverseHalfPi)), constant<f64>(shifter_f64));
  const q = f64x2.sub(sum, constant<f64>(shifter_f64));
  const first = f64x2.sub(x, f64x2.mul(q, constant<f64>(parts)));
  const second = f64x2.neg(f64x2.mul(q, constant<f64>(parts, 1)));
  const third = f64x2.neg(f64x2.mul(q, constant<f64>(parts, 2)));
  const upper = f64x2.add(first, second);
  const middle = f64x2.add(upper, third);
  const lost = f64x2.add(sumError(first, second, upper), sumError(upper, third, middle));
  const lower = f64x2.sub(lost, f64x2.mul(q, constant<f64>(parts, 3)));
  const r = f64x2.add(middle, lower);
  v128.store(result, r);
  v128.store(result, f64x2.add(f64x2.sub(middle, r), lower), 16);
  v128.store(result, v128.and(sum, constant<i64>(lowBits)), 32);
  const near = f64x2.lt(f64x2.abs(x), constant<f64>(nearBound));
  if (i64x2.all_true(near)) return;
  if (!i64x2.extract_lane(near, 0)) reduceFar(f64x2.extract_lane(x, 0), result);
  if (!i64x2.extract_lane(near, 1)) reduceFar(f64x2.extract_lane(x, 1), result + 8);
}

/** The upper half of the 128-bit product. */
function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const first = aHigh * bLow + ((aLow * bLow) >> 32);
  const second = aLow * bHigh + (first & 0xffffffff);
  return aHigh * bHigh + (first >> 32) + (second >> 32);
}

/** 64 bits of 2/pi from bit `position` on, the zeros in front counted. */
// @ts-ignore: decorator
@inline
function bitsOfTwoOverPi(position: i32): u64 {
  const at = twoOverPi + ((position >> 6) << 3);
  const shift = <u64>(position & 63);
  // Two shifts, since a shift by 64 is one by 0.
  return (load<u64>(at) << shift) | ((load<u64>(at, 8) >> 1) >> (63 - shift));
}

/**
 * |x| = m 2^e with an integer m < 2^53. Bits of 2/pi that m 2^e makes multiples of 4 do not matter;
 * the 192 after them give x 2/pi modulo 4 within 2^-137, and no float64 comes closer to a multiple
 * of pi/2 than 2^-62.
 */
function reduceFar(x: f64, target: usize): void {
  const bits = reinterpret<u64>(x);
  const exponent = <i32>((bits >> 52) & 0x7ff);
  if (exponent == 0x7ff) {
    store<f64>(target, NaN);
    return;
  }
  const m = (bits & 0x000fffffffffffff) | 0x0010000000000000;
  const position = exponent - 1075 - 2 + 64;
  const middle = m * bitsOfTwoOverPi(position + 64);
  const carry = multiplyHigh(m, bitsOfTwoOverPi(position + 128));
  const low = middle + carry;
  const high = m * bitsOfTwoOverPi(position) +
    multiplyHigh(m, bitsOfTwoOverPi(position + 64)) + <u64>(low < carry);
  // high:low holds x 2/pi with 126 bits after the point; q is its nearest integer, the rest keeps
  // its sign.
  const q = (high + 0x2000000000000000) >> 62;
  const rest = <i64>(high - (q << 62));
  const upper = <f64>rest;
  const lower = <f64>(rest - <i64>upper) + <f64>(low >> 32) * 2.3283064365386963e-10;
  const last = <f64>(low & 0xffffffff) * 5.421010862427522e-20;
  const sum = upper + lower;
  const tail = (upper - sum) + lower + last;
  const fraction = (sum + tail) * 2.168404344971009e-19;
  const fractionTail = ((sum - (sum + tail)) + tail) * 2.168404344971009e-19;
  timesHalfPi(x < 0 ? -fraction : fraction, x < 0 ? -fractionTail : fractionTail, target);
  store<u64>(target, (x < 0 ? 4 - q : q) & 3, 32);
}

/** (a + b) pi/2 for b small beside a, as a sum of two numbers. */
function timesHalfPi(a: f64, b: f64, target: usize): void {
  const upper = reinterpret<f64>(reinterpret<u64>(a) & 0xfffffffff8000000);
  const lower = a - upper;
  const product = a * 1.5707963267948966;
  // pi/2 = 1.5707963109016418 + 1.5893254712295857e-8 + 6.123233995736766e-17, the first of 26
  // bits.
  const error = upper * 1.5707963109016418 - product + lower * 1.5707963109016418 +
    upper * 1.5893254712295857e-8 + lower * 1.5893254712295857e-8;
  const tail = error + a * 6.123233995736766e-17 + b * 1.5707963267948966;
  const sum = product + tail;
  store<f64>(target, sum);
  store<f64>(target, (product - sum) + tail, 16);
}
