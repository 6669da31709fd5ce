import { lanes, loadPart } from "../vector";
import { greatest, least } from "./extreme";

/** The position of the first element equal to `value`, or of the first NaN where `value` is NaN. */
function find<T>(n: i32, x: usize, value: T): i32 {
  const wanted = v128.splat<T>(value);
  let i = 0;
  for (; i + lanes<T>() <= n; i += lanes<T>()) {
    const v = v128.load(x);
    const hits = value == value ? v128.eq<T>(v, wanted) : v128.ne<T>(v, v);
    const mask = sizeof<T>() == 4 ? i32x4.bitmask(hits) : i64x2.bitmask(hits);
    if (mask) return i + <i32>ctz(mask);
    x += 16;
  }
  for (; i < n; i++) {
    const v = load<T>(x);
    if (value == value ? v == value : v != v) return i;
    x += sizeof<T>();
  }
  return 0;
}

/** Positions along `length` in a vector of columns, as integers as wide as `T`. */
// @ts-ignore: decorator
@inline
function columnPositions<T>(least: bool, columns: i32, length: i32, x: usize, step: usize): v128 {
  const whole = columns >= lanes<T>();
  let best = whole ? v128.load(x) : loadPart<T>(x, columns, <T>0);
  let position = i64x2.splat(0);
  for (let l = 1; l < length; l++) {
    x += step;
    const v = whole ? v128.load(x) : loadPart<T>(x, columns, <T>0);
    const further = least ? v128.lt<T>(v, best) : v128.gt<T>(v, best);
    const firstNaN = v128.and(v128.ne<T>(v, v), v128.eq<T>(best, best));
    const better = v128.or(further, firstNaN);
    const here = sizeof<T>() == 4 ? i32x4.splat(l) : i64x2.splat(<i64>l);
    best = v128.bitselect(v, best, better);
    position = v128.bitselect(here, position, better);
  }
  return position;
}

// @ts-ignore: decorator
@inline
function positions<T>(
  leastWanted: bool, outer: i32, length: i32, inner: i32, x: usize, y: usize,
): void {
  const step = <usize>inner * sizeof<T>();
  for (; outer > 0; outer--) {
    if (inner == 1) {
      const value = leastWanted ? least<T>(length, x) : greatest<T>(length, x);
      store<i32>(y, find<T>(length, x, value));
    } else {
      for (let i = 0; i < inner; i += lanes<T>()) {
        const columns = min(lanes<T>(), inner - i);
        const from = x + <usize>i * sizeof<T>();
        const position = columnPositions<T>(leastWanted, columns, length, from, step);
        const to = y + <usize>i * 4;
        store<i32>(to, i32x4.extract_lane(position, 0));
        if (sizeof<T>() == 8) {
          if (columns > 1) store<i32>(to, i32x4.extract_lane(position, 2), 4);
        } else {
          if (columns > 1) store<i32>(to, i32x4.extract_lane(position, 1), 4);
          if (columns > 2) store<i32>(to, i32x4.extract_lane(position, 2), 8);
          if (columns > 3) store<i32>(to, i32x4.extract_lane(position, 3), 12);
        }
      }
    }
    x += <usize>length * step;
    y += <usize>inner * 4;
  }
}

export function maximumPositions<T>(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  positions<T>(false, outer, length, inner, x, y);
}

export function minimumPositions<T>(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  positions<T>(true, outer, length, inner, x, y);
}
