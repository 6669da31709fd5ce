import { gathered, isPlain, lastOf, span, stepOf } from "./math/operand";
import { choose } from "./math/choose";
import { lanes, storePart } from "./vector";

/** y = F(a, b) for n elements, `aStep` and `bStep` bytes from vector to vector. */
function run<T, F>(n: i32, a: usize, aStep: usize, b: usize, bStep: usize, y: usize): void {
  const f = changetype<F>(0);
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, f.of<T>(v128.load(a), v128.load(b)));
    a += aStep;
    b += bStep;
    y += 16;
  }
  if (n == 0) return;
  storePart<T>(y, f.of<T>(lastOf<T>(a, aStep, n), lastOf<T>(b, bStep, n)), n);
}

type Run = (n: i32, a: usize, aStep: usize, b: usize, bStep: usize, y: usize) => void;

/**
 * Sends the rows through `run`: all at once where they follow each other, a single column as one
 * row.
 */
function mapRows<T>(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  run: Run,
): void {
  if (aRow == cols * aCol && bRow == cols * bCol) {
    cols *= rows;
    rows = 1;
  } else if (cols == 1) {
    cols = rows;
    rows = 1;
    aCol = aRow;
    bCol = bRow;
  }
  const most = isPlain(aCol) && isPlain(bCol) ? cols : span;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c += most) {
      const n = min(most, cols - c);
      const aAt = gathered<T>(0, n, a + <isize>(r * aRow + c * aCol) * sizeof<T>(), aCol);
      const bAt = gathered<T>(1, n, b + <isize>(r * bRow + c * bCol) * sizeof<T>(), bCol);
      run(n, aAt, stepOf(aCol), bAt, stepOf(bCol), y);
      y += <usize>n * sizeof<T>();
    }
  }
}

// @ts-ignore: decorator
@inline
export function map<T, F>(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
): void {
  mapRows<T>(rows, cols, a, aRow, aCol, b, bRow, bCol, y, (n, aAt, aStep, bAt, bStep, yAt) => {
    run<T, F>(n, aAt, aStep, bAt, bStep, yAt);
  });
}

export function f32_select(
  rows: i32, cols: i32, condition: usize, conditionRow: i32, conditionCol: i32, a: usize, aRow: i32,
  aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
): void {
  choose<f32>(rows, cols, condition, conditionRow, conditionCol, a, aRow, aCol, b, bRow, bCol, y);
}

export function f64_select(
  rows: i32, cols: i32, condition: usize, conditionRow: i32, conditionCol: i32, a: usize, aRow: i32,
  aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
): void {
  choose<f64>(rows, cols, condition, conditionRow, conditionCol, a, aRow, aCol, b, bRow, bCol, y);
}
