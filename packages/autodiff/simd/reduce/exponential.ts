// The shifted sum of exponentials, log sum_i e^x_i = m + log sum_i e^(x_i - m) with m = max x
// (Blanchard, Higham & Higham 2021): no term overflows, and the largest is 1.
import { exp_f32x4, exp_f64x2 } from "../math/exp";
import { log_f64x2 } from "../math/log";
import { addLanes, lanes, loadPart, narrow, storePart, widenHigh, widenLow } from "../vector";
import { greatest } from "./extreme";

/** `e^(x - shift)`. */
// @ts-ignore: decorator
@inline
export function shiftedExp<T>(x: v128, shift: v128): v128 {
  const d = v128.sub<T>(x, shift);
  return sizeof<T>() == 4 ? exp_f32x4(d) : exp_f64x2(d);
}

export function logOf(x: f64): f64 {
  return f64x2.extract_lane(log_f64x2(f64x2.splat(x)), 0);
}

/** Sum of `e^(x[i] - shift)` in float64; the terms themselves go to `y` unless it is 0. */
// @ts-ignore: decorator
@inline
function sumOfExp<T>(n: i32, x: usize, shift: T, y: usize): f64 {
  const m = v128.splat<T>(shift);
  let low = f64x2.splat(0);
  let high = low;
  for (; n > 0; n -= lanes<T>()) {
    const whole = n >= lanes<T>();
    const e = shiftedExp<T>(whole ? v128.load(x) : loadPart<T>(x, n, <T>-Infinity), m);
    low = f64x2.add(low, widenLow<T>(e));
    if (sizeof<T>() == 4) high = f64x2.add(high, widenHigh<T>(e));
    if (y) {
      if (whole) v128.store(y, e);
      else storePart<T>(y, e, n);
      y += 16;
    }
    x += 16;
  }
  return addLanes(f64x2.add(low, high));
}

export function totalOfExp<T>(n: i32, x: usize, shift: T): f64 {
  return sumOfExp<T>(n, x, shift, 0);
}

/** The same, with `y[i] = e^(x[i] - shift)`. */
export function storeExp<T>(n: i32, x: usize, shift: T, y: usize): f64 {
  return sumOfExp<T>(n, x, shift, y);
}

/** `logSumExp` of one vector of columns. */
function columnsLogSumExp<T>(columns: i32, length: i32, x: usize, step: usize): v128 {
  const whole = columns >= lanes<T>();
  let m = v128.splat<T>(<T>-Infinity);
  let from = x;
  for (let l = 0; l < length; l++) {
    m = v128.max<T>(m, whole ? v128.load(from) : loadPart<T>(from, columns, <T>0));
    from += step;
  }
  let low = f64x2.splat(0);
  let high = low;
  from = x;
  for (let l = 0; l < length; l++) {
    const e = shiftedExp<T>(whole ? v128.load(from) : loadPart<T>(from, columns, <T>0), m);
    low = f64x2.add(low, widenLow<T>(e));
    if (sizeof<T>() == 4) high = f64x2.add(high, widenHigh<T>(e));
    from += step;
  }
  low = f64x2.add(widenLow<T>(m), log_f64x2(low));
  if (sizeof<T>() == 4) high = f64x2.add(widenHigh<T>(m), log_f64x2(high));
  const difference = v128.sub<T>(m, m);
  const finite = v128.eq<T>(difference, difference);
  return v128.bitselect(narrow<T>(low, high), m, finite);
}

export function logSumExp<T>(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  const step = <usize>inner * sizeof<T>();
  for (; outer > 0; outer--) {
    if (inner == 1) {
      const m = greatest<T>(length, x);
      const finite = m - m == 0;
      store<T>(y, finite ? <T>(<f64>m + logOf(totalOfExp<T>(length, x, m))) : m);
    } else {
      for (let i = 0; i < inner; i += lanes<T>()) {
        const offset = <usize>i * sizeof<T>();
        const value = columnsLogSumExp<T>(inner - i, length, x + offset, step);
        if (inner - i >= lanes<T>()) v128.store(y + offset, value);
        else storePart<T>(y + offset, value, inner - i);
      }
    }
    x += <usize>length * step;
    y += step;
  }
}
