import { sumRoom } from "../room";
import { addLanes, lanes, widenHigh, widenLow } from "../vector";

/** Columns whose float64 totals are kept at a time. */
const columnsAtOnce: i32 = 512;

/** Four vectors `step` bytes apart, pairwise. */
// @ts-ignore: decorator
@inline
function four<T>(x: usize, step: usize): v128 {
  const first = v128.add<T>(v128.load(x), v128.load(x + step));
  return v128.add<T>(first, v128.add<T>(v128.load(x + 2 * step), v128.load(x + 3 * step)));
}

/** Sum of `n` contiguous elements: 16 vectors pairwise in `T`, then in float64. */
function total<T>(n: i32, x: usize): f64 {
  let low = f64x2.splat(0);
  let high = low;
  for (; n >= 16 * lanes<T>(); n -= 16 * lanes<T>()) {
    const block = v128.add<T>(
      v128.add<T>(four<T>(x, 16), four<T>(x + 64, 16)),
      v128.add<T>(four<T>(x + 128, 16), four<T>(x + 192, 16)),
    );
    low = f64x2.add(low, widenLow<T>(block));
    if (sizeof<T>() == 4) high = f64x2.add(high, widenHigh<T>(block));
    x += 256;
  }
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    const value = v128.load(x);
    low = f64x2.add(low, widenLow<T>(value));
    if (sizeof<T>() == 4) high = f64x2.add(high, widenHigh<T>(value));
    x += 16;
  }
  let sum = addLanes(f64x2.add(low, high));
  for (; n > 0; n--) {
    sum += <f64>load<T>(x);
    x += sizeof<T>();
  }
  return sum;
}

/** Adds a vector to the totals of its columns. */
// @ts-ignore: decorator
@inline
function addTo<T>(to: usize, value: v128): void {
  v128.store(to, f64x2.add(v128.load(to), widenLow<T>(value)));
  if (sizeof<T>() == 4) v128.store(to, f64x2.add(v128.load(to, 16), widenHigh<T>(value)), 16);
}

/**
 * Sums of up to `columnsAtOnce` columns: 8 rows pairwise in `T`, then in float64; in place of `y`,
 * or added to it.
 */
function columnTotals<T>(
  columns: i32, length: i32, x: usize, step: usize, y: usize, accumulate: bool,
): void {
  const totals = sumRoom();
  memory.fill(totals, 0, <usize>columns * 8);
  const vectors = columns / lanes<T>();
  while (length > 0) {
    const rows = length >= 8 ? 8 : 1;
    let from = x;
    let to = totals;
    for (let i = 0; i < vectors; i++) {
      if (rows == 8) addTo<T>(to, v128.add<T>(four<T>(from, step), four<T>(from + 4 * step, step)));
      else addTo<T>(to, v128.load(from));
      from += 16;
      to += 8 * lanes<T>();
    }
    for (let i = vectors * lanes<T>(); i < columns; i++) {
      let sum = load<f64>(to);
      for (let r = 0; r < rows; r++) sum += <f64>load<T>(from + <usize>r * step);
      store<f64>(to, sum);
      from += sizeof<T>();
      to += 8;
    }
    x += <usize>rows * step;
    length -= rows;
  }
  for (let i: usize = 0; i < <usize>columns; i++) {
    const total = load<f64>(totals + i * 8);
    const to = y + i * sizeof<T>();
    store<T>(to, accumulate ? <T>(<f64>load<T>(to) + total) : <T>total);
  }
}

export function sum<T>(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  const step = <usize>inner * sizeof<T>();
  for (; outer > 0; outer--) {
    if (inner == 1) store<T>(y, <T>total<T>(length, x));
    else {
      for (let i = 0; i < inner; i += columnsAtOnce) {
        const offset = <usize>i * sizeof<T>();
        columnTotals<T>(min(columnsAtOnce, inner - i), length, x + offset, step, y + offset, false);
      }
    }
    x += <usize>length * step;
    y += step;
  }
}

/** `y[c] += sum over r of x[r, c]`. */
export function addRows<T>(rows: i32, cols: i32, x: usize, y: usize): void {
  const step = <usize>cols * sizeof<T>();
  for (let i = 0; i < cols; i += columnsAtOnce) {
    const offset = <usize>i * sizeof<T>();
    columnTotals<T>(min(columnsAtOnce, cols - i), rows, x + offset, step, y + offset, true);
  }
}
