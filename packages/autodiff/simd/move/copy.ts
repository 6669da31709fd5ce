import { lanes } from "../vector";

/** Rows of `y` written in turn while the columns advance: their lines stay in the first cache. */
const blockRows: i32 = 64;
/** From this size on, a call of the engine's own copy pays. */
const bulkBytes: usize = 512;

/** Copies elements of `T` that lie side by side. */
// @ts-ignore: decorator
@inline
export function copyContiguous<T>(n: i32, x: usize, y: usize): void {
  if (<usize>n * sizeof<T>() >= bulkBytes) {
    memory.copy(y, x, <usize>n * sizeof<T>());
    return;
  }
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, v128.load(x));
    x += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    store<T>(y, load<T>(x));
    x += sizeof<T>();
    y += sizeof<T>();
  }
}

/** `y[r*yStep + c] = x[c*xStep + r]` for one square of a vector's width. */
// @ts-ignore: decorator
@inline
function transposeSquare<T>(x: usize, xStep: usize, y: usize, yStep: usize): void {
  const r0 = v128.load(x);
  const r1 = v128.load(x + xStep);
  if (sizeof<T>() == 8) {
    v128.store(y, v128.shuffle<f64>(r0, r1, 0, 2));
    v128.store(y + yStep, v128.shuffle<f64>(r0, r1, 1, 3));
    return;
  }
  const r2 = v128.load(x + 2 * xStep);
  const r3 = v128.load(x + 3 * xStep);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(y, v128.shuffle<f64>(low01, low23, 0, 2));
  v128.store(y + yStep, v128.shuffle<f64>(low01, low23, 1, 3));
  v128.store(y + 2 * yStep, v128.shuffle<f64>(high01, high23, 0, 2));
  v128.store(y + 3 * yStep, v128.shuffle<f64>(high01, high23, 1, 3));
}

/** `y[r*yStep + c] = x[c*xStep + r]`. */
function transpose<T>(rows: i32, cols: i32, x: usize, xStep: usize, y: usize, yStep: usize): void {
  const wholeRows = rows - (rows % lanes<T>());
  const wholeCols = cols - (cols % lanes<T>());
  for (let block = 0; block < wholeRows; block += blockRows) {
    const end = min(block + blockRows, wholeRows);
    for (let c = 0; c < wholeCols; c += lanes<T>()) {
      for (let r = block; r < end; r += lanes<T>()) {
        transposeSquare<T>(
          x + <usize>c * xStep + <usize>r * sizeof<T>(), xStep,
          y + <usize>r * yStep + <usize>c * sizeof<T>(), yStep,
        );
      }
    }
  }
  for (let r = 0; r < rows; r++) {
    for (let c = r < wholeRows ? wholeCols : 0; c < cols; c++) {
      const value = load<T>(x + <usize>c * xStep + <usize>r * sizeof<T>());
      store<T>(y + <usize>r * yStep + <usize>c * sizeof<T>(), value);
    }
  }
}

/** Rows whose elements lie apart in `x` or in `y`. */
function copyStrided<T>(
  rows: i32, cols: i32, x: usize, xRow: isize, xCol: isize, y: usize, yRow: isize, yCol: isize,
): void {
  for (; rows > 0; rows--) {
    let from = x;
    let to = y;
    for (let c = cols; c > 0; c--) {
      store<T>(to, load<T>(from));
      from += xCol;
      to += yCol;
    }
    x += xRow;
    y += yRow;
  }
}

export function copy<T>(
  rows: i32, cols: i32, x: usize, xRow: i32, xCol: i32, y: usize, yRow: i32, yCol: i32,
): void {
  const size = <isize>sizeof<T>();
  if (xCol == 1 && yCol == 1) {
    if (xRow == cols && yRow == cols) {
      cols *= rows;
      rows = 1;
    }
    for (; rows > 0; rows--) {
      copyContiguous<T>(cols, x, y);
      x += <isize>xRow * size;
      y += <isize>yRow * size;
    }
  } else if (xRow == 1 && yCol == 1) {
    transpose<T>(rows, cols, x, <isize>xCol * size, y, <isize>yRow * size);
  } else if (xCol == 1 && yRow == 1) {
    transpose<T>(cols, rows, x, <isize>xRow * size, y, <isize>yCol * size);
  } else {
    copyStrided<T>(
      rows, cols, x, <isize>xRow * size, <isize>xCol * size, y, <isize>yRow * size,
      <isize>yCol * size,
    );
  }
}
