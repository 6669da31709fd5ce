import { lanes, loadPart, narrow, storePart, widenHigh, widenLow } from "../vector";

/** Running totals of one vector of columns, kept in float64. */
function columnTotals<T>(columns: i32, length: i32, x: usize, y: usize, step: isize): void {
  const whole = columns >= lanes<T>();
  let low = f64x2.splat(0);
  let high = low;
  for (; length > 0; length--) {
    const value = whole ? v128.load(x) : loadPart<T>(x, columns, <T>0);
    low = f64x2.add(low, widenLow<T>(value));
    if (sizeof<T>() == 4) high = f64x2.add(high, widenHigh<T>(value));
    const total = narrow<T>(low, high);
    if (whole) v128.store(y, total);
    else storePart<T>(y, total, columns);
    x += step;
    y += step;
  }
}

export function cumsum<T>(
  outer: i32, length: i32, inner: i32, reverse: i32, x: usize, y: usize,
): void {
  const rowBytes = <usize>inner * sizeof<T>();
  const first: usize = reverse ? <usize>(length - 1) * rowBytes : 0;
  const step: isize = reverse ? -(<isize>rowBytes) : <isize>rowBytes;
  for (; outer > 0; outer--) {
    for (let i = 0; i < inner; i += lanes<T>()) {
      const offset = first + <usize>i * sizeof<T>();
      columnTotals<T>(inner - i, length, x + offset, y + offset, step);
    }
    x += <usize>length * rowBytes;
    y += <usize>length * rowBytes;
  }
}
