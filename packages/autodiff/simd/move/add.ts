import { lanes } from "../vector";

/** `y[r*yRow + c*yCol] += x[r*xRow + c*xCol]`; strides count elements. */
export function addTo<T>(
  rows: i32, cols: i32, x: usize, xRow: i32, xCol: i32, y: usize, yRow: i32, yCol: i32,
): void {
  for (; rows > 0; rows--) {
    let from = x;
    let to = y;
    let n = cols;
    if (xCol == 1 && yCol == 1) {
      for (; n >= lanes<T>(); n -= lanes<T>()) {
        v128.store(to, v128.add<T>(v128.load(to), v128.load(from)));
        from += 16;
        to += 16;
      }
    }
    for (; n > 0; n--) {
      store<T>(to, load<T>(to) + load<T>(from));
      from += <isize>xCol * sizeof<T>();
      to += <isize>yCol * sizeof<T>();
    }
    x += <isize>xRow * sizeof<T>();
    y += <isize>yRow * sizeof<T>();
  }
}
