import {
  lanes, loadNext, narrow, Ragged, storeNext, Whole, widenHigh, widenLow,
} from "../vector";

// @ts-ignore: decorator
@inline
function isZero<T>(x: v128): v128 {
  return v128.eq<T>(x, v128.splat<T>(0));
}

/** `x y + z w` of two lanes, 0 where `cut`. */
// @ts-ignore: decorator
@inline
function crossed(x: v128, y: v128, z: v128, w: v128, cut: v128): v128 {
  return v128.andnot(f64x2.add(f64x2.mul(x, y), f64x2.mul(z, w)), cut);
}

/**
 * `y = a h + b` of `cols` complex numbers, in float64 and rounded once: parts that cancel lose
 * nothing. With `conj(a)` for `a` when `conjugate`; where `a` is 0 and `cuts`, `y` is `b`. No `b`
 * is read when it is 0.
 */
function advanceComplex<T, W>(
  cols: i32, conjugate: bool, cuts: bool, a: usize, h: usize, b: usize, y: usize,
): void {
  const im = <usize>cols * sizeof<T>();
  const sign = f64x2.splat(conjugate ? -1 : 1);
  const mask = i64x2.splat(cuts ? -1 : 0);
  const nothing = f64x2.splat(0);
  for (let at: usize = 0, n = cols; n > 0; at += 16, n -= lanes<T>()) {
    const ar = loadNext<T, W>(a + at, n);
    const ai = loadNext<T, W>(a + im + at, n);
    const hr = loadNext<T, W>(h + at, n);
    const hi = loadNext<T, W>(h + im + at, n);
    const br = b ? loadNext<T, W>(b + at, n) : nothing;
    const bi = b ? loadNext<T, W>(b + im + at, n) : nothing;
    let r0 = widenLow<T>(ar);
    let i0 = f64x2.mul(widenLow<T>(ai), sign);
    let cut = v128.and(v128.and(isZero<f64>(r0), isZero<f64>(i0)), mask);
    let minus = f64x2.neg(i0);
    let xr = widenLow<T>(hr);
    let xi = widenLow<T>(hi);
    const re0 = f64x2.add(crossed(r0, xr, minus, xi, cut), widenLow<T>(br));
    const im0 = f64x2.add(crossed(r0, xi, i0, xr, cut), widenLow<T>(bi));
    let re1 = nothing;
    let im1 = nothing;
    if (sizeof<T>() == 4) {
      r0 = widenHigh<T>(ar);
      i0 = f64x2.mul(widenHigh<T>(ai), sign);
      cut = v128.and(v128.and(isZero<f64>(r0), isZero<f64>(i0)), mask);
      minus = f64x2.neg(i0);
      xr = widenHigh<T>(hr);
      xi = widenHigh<T>(hi);
      re1 = f64x2.add(crossed(r0, xr, minus, xi, cut), widenHigh<T>(br));
      im1 = f64x2.add(crossed(r0, xi, i0, xr, cut), widenHigh<T>(bi));
    }
    storeNext<T, W>(y + at, narrow<T>(re0, re1), n);
    storeNext<T, W>(y + im + at, narrow<T>(im0, im1), n);
  }
}

/** The same of a vector of real numbers; the product is rounded first, as in `h.mul(a).add(b)`. */
// @ts-ignore: decorator
@inline
function advanceReal<T, W>(n: i32, mask: v128, a: usize, h: usize, b: usize, y: usize): void {
  const x = loadNext<T, W>(a, n);
  const cut = v128.and(isZero<T>(x), mask);
  const product = v128.andnot(v128.mul<T>(x, loadNext<T, W>(h, n)), cut);
  storeNext<T, W>(y, b ? v128.add<T>(product, loadNext<T, W>(b, n)) : product, n);
}

/**
 * Reads one byte of each cache line: a processor fetches ahead of a row that is read in order, but
 * not of halves that are read in turn.
 */
// @ts-ignore: decorator
@inline
function touch(bytes: usize, x: usize): void {
  for (let n = <i32>bytes; n > 0; n -= 64) {
    load<u8>(x);
    x += 64;
  }
}

/** `y = a h + b` of one step; see `advanceComplex`. */
function advance<T>(
  rows: i32, cols: i32, complex: bool, conjugate: bool, cuts: bool,
  a: usize, h: usize, b: usize, y: usize,
): void {
  if (complex) {
    const width = 2 * <usize>cols * sizeof<T>();
    for (; rows > 0; rows--) {
      touch(width, a);
      if (b) touch(width, b);
      touch(width, y);
      if (cols % lanes<T>() == 0) advanceComplex<T, Whole>(cols, conjugate, cuts, a, h, b, y);
      else advanceComplex<T, Ragged>(cols, conjugate, cuts, a, h, b, y);
      a += width;
      h += width;
      if (b) b += width;
      y += width;
    }
    return;
  }
  const mask = i64x2.splat(cuts ? -1 : 0);
  let n = rows * cols;
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    advanceReal<T, Whole>(n, mask, a, h, b, y);
    a += 16;
    h += 16;
    if (b) b += 16;
    y += 16;
  }
  if (n > 0) advanceReal<T, Ragged>(n, mask, a, h, b, y);
}

/** Bytes from one step to the next, in time. */
// @ts-ignore: decorator
@inline
function bytesOfStep<T>(rows: i32, cols: i32, complex: bool): usize {
  return <usize>rows * <usize>cols * sizeof<T>() * (complex ? 2 : 1);
}

export function linearRecurrence<T>(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, b: usize, initial: usize, y: usize,
): void {
  const bytes = bytesOfStep<T>(rows, cols, complex);
  const step = reverse ? 0 - bytes : bytes;
  let at: usize = reverse ? <usize>(length - 1) * bytes : 0;
  let h = initial;
  for (; length > 0; length--) {
    advance<T>(rows, cols, complex, false, true, a + at, h, b + at, y + at);
    h = y + at;
    at += step;
  }
}

export function linearRecurrenceVjpB<T>(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool, a: usize, g: usize, db: usize,
): void {
  if (length == 0) return;
  const bytes = bytesOfStep<T>(rows, cols, complex);
  const step = reverse ? bytes : 0 - bytes;
  let at: usize = reverse ? 0 : <usize>(length - 1) * bytes;
  memory.copy(db + at, g + at, bytes);
  for (; length > 1; length--) {
    const here = at + step;
    advance<T>(rows, cols, complex, true, true, a + at, db + at, g + here, db + here);
    at = here;
  }
}

/** A step's cotangent is multiplied as soon as that of the step before is known. */
export function linearRecurrenceVjpA<T>(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, initial: usize, h: usize, g: usize, da: usize,
): void {
  if (length == 0) return;
  const bytes = bytesOfStep<T>(rows, cols, complex);
  const step = reverse ? bytes : 0 - bytes;
  let at: usize = reverse ? 0 : <usize>(length - 1) * bytes;
  memory.copy(da + at, g + at, bytes);
  for (; length > 1; length--) {
    const here = at + step;
    advance<T>(rows, cols, complex, true, true, a + at, da + at, g + here, da + here);
    advance<T>(rows, cols, complex, true, false, h + here, da + at, 0, da + at);
    at = here;
  }
  advance<T>(rows, cols, complex, true, false, initial, da + at, 0, da + at);
}

export function linearRecurrenceVjpInitial<T>(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, g: usize, dinitial: usize,
): void {
  const bytes = bytesOfStep<T>(rows, cols, complex);
  const step = reverse ? bytes : 0 - bytes;
  let at: usize = reverse ? 0 : <usize>(length - 1) * bytes;
  memory.copy(dinitial, g + at, bytes);
  for (; length > 1; length--) {
    advance<T>(rows, cols, complex, true, true, a + at, dinitial, g + at + step, dinitial);
    at += step;
  }
  advance<T>(rows, cols, complex, true, true, a + at, dinitial, 0, dinitial);
}
