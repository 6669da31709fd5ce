import { gathered, isPlain, lastOf, span, stepOf } from "./operand";
import { lanes, storePart } from "../vector";

// @ts-ignore: decorator
@inline
function chosen<T>(condition: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, v128.ne<T>(condition, v128.splat<T>(<T>0)));
}

/** y = condition != 0 ? a : b for n elements, the steps being bytes from vector to vector. */
function run<T>(
  n: i32, condition: usize, conditionStep: usize, a: usize, aStep: usize, b: usize, bStep: usize,
  y: usize,
): void {
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, chosen<T>(v128.load(condition), v128.load(a), v128.load(b)));
    condition += conditionStep;
    a += aStep;
    b += bStep;
    y += 16;
  }
  if (n == 0) return;
  const last = lastOf<T>(condition, conditionStep, n);
  storePart<T>(y, chosen<T>(last, lastOf<T>(a, aStep, n), lastOf<T>(b, bStep, n)), n);
}

/** `select` of the contract. */
export function choose<T>(
  rows: i32, cols: i32, condition: usize, conditionRow: i32, conditionCol: i32, a: usize, aRow: i32,
  aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
): void {
  if (conditionRow == cols * conditionCol && aRow == cols * aCol && bRow == cols * bCol) {
    cols *= rows;
    rows = 1;
  } else if (cols == 1) {
    cols = rows;
    rows = 1;
    conditionCol = conditionRow;
    aCol = aRow;
    bCol = bRow;
  }
  const most = isPlain(conditionCol) && isPlain(aCol) && isPlain(bCol) ? cols : span;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c += most) {
      const n = min(most, cols - c);
      const at = condition + <isize>(r * conditionRow + c * conditionCol) * sizeof<T>();
      const aAt = a + <isize>(r * aRow + c * aCol) * sizeof<T>();
      const bAt = b + <isize>(r * bRow + c * bCol) * sizeof<T>();
      run<T>(
        n, gathered<T>(2, n, at, conditionCol), stepOf(conditionCol), gathered<T>(0, n, aAt, aCol),
        stepOf(aCol), gathered<T>(1, n, bAt, bCol), stepOf(bCol), y,
      );
      y += <usize>n * sizeof<T>();
    }
  }
}
