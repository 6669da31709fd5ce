import {
  addLanes,
  lanes,
  loadNext,
  Ragged,
  storeNext,
} from "../vector";

/** Two elements as float64, the `k`th such pair behind `x`. */
// @ts-ignore: decorator
@inline
function pairAt<T>(x: usize, k: usize): v128 {
  if (sizeof<T>() == 8) return v128.load(x + 16 * k);
  return f64x2.promote_low_f32x4(v128.load64_zero(x + 8 * k));
}

/** The square of a float32 is exact in float64; that of a float64 rounds once. */
export function sumSquares<T>(n: i32, x: usize): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (; n >= 8; n -= 8) {
    const a = pairAt<T>(x, 0);
    const b = pairAt<T>(x, 1);
    const c = pairAt<T>(x, 2);
    const d = pairAt<T>(x, 3);
    s0 = f64x2.add(s0, f64x2.mul(a, a));
    s1 = f64x2.add(s1, f64x2.mul(b, b));
    s2 = f64x2.add(s2, f64x2.mul(c, c));
    s3 = f64x2.add(s3, f64x2.mul(d, d));
    x += 8 * sizeof<T>();
  }
  let sum = addLanes(f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3)));
  for (; n > 0; n--) {
    const value = <f64>load<T>(x);
    sum += value * value;
    x += sizeof<T>();
  }
  return sum;
}

/**
 * The largest magnitude and the squares of what is divided by it, where the squares themselves are
 * no numbers.
 */
function scaledNorm<T>(n: i32, x: usize): f64 {
  let largest: f64 = 0;
  const end = x + <usize>n * sizeof<T>();
  for (let at = x; at < end; at += sizeof<T>()) largest = max(largest, abs(<f64>load<T>(at)));
  if (!(largest > 0 && largest < Infinity)) return largest;
  let sum: f64 = 0;
  for (let at = x; at < end; at += sizeof<T>()) {
    const part = <f64>load<T>(at) / largest;
    sum += part * part;
  }
  return largest * Math.sqrt(sum);
}

/** `y = hypot(y, |x|)`, the Euclidean norm, for the float64 at `y`. */
export function norm<T>(n: i32, x: usize, y: usize): void {
  const squares = sumSquares<T>(n, x);
  const isSafe = squares > 1e-280 && squares < Infinity;
  const size = isSafe ? Math.sqrt(squares) : scaledNorm<T>(n, x);
  const before = load<f64>(y);
  const larger = max(before, size);
  const ratio = min(before, size) / larger;
  store<f64>(y, larger > 0 && larger < Infinity ? larger * Math.sqrt(1 + ratio * ratio) : larger);
}

/**
 * `y = x limit / norm` where the norm is above the limit, and finite; otherwise `y = x`. A factor
 * that the dtype cannot hold is taken in float64, or in two parts.
 */
export function limitNorm<T>(n: i32, x: usize, norm: usize, limit: f64, y: usize): void {
  const size = load<f64>(norm);
  const factor = size > limit && size < Infinity ? limit / size : 1;
  if (factor < (sizeof<T>() == 4 ? 1e-30 : 1e-290)) {
    const part = sizeof<T>() == 4 ? 1 : 1e-150;
    const rest = limit / part / size;
    for (; n > 0; n--) {
      store<T>(y, <T>(<f64>load<T>(x) * part * rest));
      x += sizeof<T>();
      y += sizeof<T>();
    }
    return;
  }
  const factors = v128.splat<T>(<T>factor);
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, v128.mul<T>(v128.load(x), factors));
    x += 16;
    y += 16;
  }
  if (n > 0) storeNext<T, Ragged>(y, v128.mul<T>(loadNext<T, Ragged>(x, n), factors), n);
}

/** `v - v` is 0 for finite `v` and NaN for every other. */
export function firstNonFinite<T>(n: i32, x: usize): i32 {
  let i = 0;
  for (; i + 4 * lanes<T>() <= n; i += 4 * lanes<T>()) {
    const v0 = v128.load(x);
    const v1 = v128.load(x, 16);
    const v2 = v128.load(x, 32);
    const v3 = v128.load(x, 48);
    const first = v128.add<T>(v128.sub<T>(v0, v0), v128.sub<T>(v1, v1));
    const last = v128.add<T>(v128.sub<T>(v2, v2), v128.sub<T>(v3, v3));
    const all = v128.add<T>(first, last);
    if (v128.any_true(v128.ne<T>(all, all))) break;
    x += 64;
  }
  for (; i < n; i++) {
    const value = load<T>(x);
    if (value - value != 0) return i;
    x += sizeof<T>();
  }
  return -1;
}

// @ts-ignore: decorator
@inline
function outside(index: i32, low: i32, high: i32, except: i32): bool {
  return (index < low || index >= high) && index != except;
}

export function firstOutOfRange(n: i32, indices: usize, low: i32, high: i32, except: i32): i32 {
  const lows = i32x4.splat(low);
  const highs = i32x4.splat(high);
  const excepts = i32x4.splat(except);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(indices);
    const bad = v128.or(i32x4.lt_s(v, lows), i32x4.ge_s(v, highs));
    if (v128.any_true(v128.andnot(bad, i32x4.eq(v, excepts)))) break;
    indices += 16;
  }
  for (; i < n; i++) {
    if (outside(load<i32>(indices), low, high, except)) return i;
    indices += 4;
  }
  return -1;
}
