import { lanes } from "../vector";

/** The greater (the less, when `least`) in each lane; NaN wins. */
// @ts-ignore: decorator
@inline
function pick<T>(least: bool, a: v128, b: v128): v128 {
  return least ? v128.min<T>(a, b) : v128.max<T>(a, b);
}

// @ts-ignore: decorator
@inline
function pickOne<T>(least: bool, a: T, b: T): T {
  return least ? min<T>(a, b) : max<T>(a, b);
}

/**
 * The extreme of `n` contiguous elements; of none, the infinity that every other value replaces.
 */
// @ts-ignore: decorator
@inline
function fold<T>(least: bool, n: i32, x: usize): T {
  const start = <T>(least ? Infinity : -Infinity);
  let e0 = v128.splat<T>(start);
  let e1 = e0;
  let e2 = e0;
  let e3 = e0;
  for (; n >= 4 * lanes<T>(); n -= 4 * lanes<T>()) {
    e0 = pick<T>(least, e0, v128.load(x));
    e1 = pick<T>(least, e1, v128.load(x, 16));
    e2 = pick<T>(least, e2, v128.load(x, 32));
    e3 = pick<T>(least, e3, v128.load(x, 48));
    x += 64;
  }
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    e0 = pick<T>(least, e0, v128.load(x));
    x += 16;
  }
  e0 = pick<T>(least, pick<T>(least, e0, e1), pick<T>(least, e2, e3));
  let result = pickOne<T>(least, v128.extract_lane<T>(e0, 0), v128.extract_lane<T>(e0, 1));
  if (sizeof<T>() == 4) {
    result = pickOne<T>(least, result, v128.extract_lane<T>(e0, 2));
    result = pickOne<T>(least, result, v128.extract_lane<T>(e0, 3));
  }
  for (; n > 0; n--) {
    result = pickOne<T>(least, result, load<T>(x));
    x += sizeof<T>();
  }
  return result;
}

export function greatest<T>(n: i32, x: usize): T {
  return fold<T>(false, n, x);
}

export function least<T>(n: i32, x: usize): T {
  return fold<T>(true, n, x);
}

/** `y[i] = pick(y[i], x[i])` for a row. */
// @ts-ignore: decorator
@inline
function foldRow<T>(least: bool, n: i32, x: usize, y: usize): void {
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, pick<T>(least, v128.load(y), v128.load(x)));
    x += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    store<T>(y, pickOne<T>(least, load<T>(y), load<T>(x)));
    x += sizeof<T>();
    y += sizeof<T>();
  }
}

// @ts-ignore: decorator
@inline
function extremes<T>(least: bool, outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  for (; outer > 0; outer--) {
    if (inner == 1) {
      store<T>(y, fold<T>(least, length, x));
      x += <usize>length * sizeof<T>();
    } else {
      for (let i: usize = 0; i < <usize>inner; i++) {
        store<T>(y + i * sizeof<T>(), <T>(least ? Infinity : -Infinity));
      }
      for (let l = 0; l < length; l++) {
        foldRow<T>(least, inner, x, y);
        x += <usize>inner * sizeof<T>();
      }
    }
    y += <usize>inner * sizeof<T>();
  }
}

export function maxima<T>(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  extremes<T>(false, outer, length, inner, x, y);
}

export function minima<T>(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  extremes<T>(true, outer, length, inner, x, y);
}
