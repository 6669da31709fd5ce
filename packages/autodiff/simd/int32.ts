// Arithmetic on int32, which wraps at 2^31 as PyTorch's and NumPy's does. Codes are the places in
// `int32BinaryNames`. The loops are scalar: nothing that takes long is made of integers.
import { scatterAdd } from "./move/rows";

function combine(code: i32, a: i32, b: i32): i32 {
  switch (code) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return max(a, b);
    case 4: return min(a, b);
    case 5: {
      if (b == 0) return 0;
      const rest = a % b;
      return rest != 0 && (rest ^ b) < 0 ? rest + b : rest;
    }
    case 6: return i32(a < b);
    case 7: return i32(a <= b);
    case 8: return i32(a > b);
    case 9: return i32(a >= b);
    case 10: return i32(a == b);
    default: return i32(a != b);
  }
}

export function int32_binary(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  code: i32,
): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const left = load<i32>(a + ((r * aRow + c * aCol) << 2));
      store<i32>(y, combine(code, left, load<i32>(b + ((r * bRow + c * bCol) << 2))));
      y += 4;
    }
  }
}

export function int32_select(
  rows: i32, cols: i32, condition: usize, conditionRow: i32, conditionCol: i32,
  a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const holds = load<i32>(condition + ((r * conditionRow + c * conditionCol) << 2));
      const at = holds ? a + ((r * aRow + c * aCol) << 2) : b + ((r * bRow + c * bCol) << 2);
      store<i32>(y, load<i32>(at));
      y += 4;
    }
  }
}

/** y[o, i] is x[o, 0, i], combined with x[o, l, i] for every further l; 0 of nothing. */
export function int32_fold(
  outer: i32, length: i32, inner: i32, x: usize, y: usize, code: i32,
): void {
  for (; outer > 0; outer--) {
    for (let i = 0; i < inner; i++) {
      let total = length > 0 ? load<i32>(x + (i << 2)) : 0;
      for (let l = 1; l < length; l++) {
        total = combine(code, total, load<i32>(x + ((l * inner + i) << 2)));
      }
      store<i32>(y, total);
      y += 4;
    }
    x += (length * inner) << 2;
  }
}

export function int32_cumsum(
  outer: i32, length: i32, inner: i32, reverse: i32, x: usize, y: usize,
): void {
  for (; outer > 0; outer--) {
    for (let i = 0; i < inner; i++) {
      let total = 0;
      for (let l = 0; l < length; l++) {
        const at = ((reverse ? length - 1 - l : l) * inner + i) << 2;
        total += load<i32>(x + at);
        store<i32>(y + at, total);
      }
    }
    x += (length * inner) << 2;
    y += (length * inner) << 2;
  }
}

export function int32_scatterAdd(n: i32, inner: i32, g: usize, indices: usize, y: usize): void {
  scatterAdd<i32>(n, inner, g, indices, y);
}

export function int32_fill(n: i32, value: i32, y: usize): void {
  for (; n > 0; n--) {
    store<i32>(y, value);
    y += 4;
  }
}
