/**
 * Whether `a` stands before `b`, which it does not where they are equal: NaN counts as the largest.
 */
// @ts-ignore: decorator
@inline
function precedes<T>(a: T, b: T, descending: i32): bool {
  return descending ? a > b || (a != a && b == b) : a < b || (b != b && a == a);
}

/** Merge sort from the bottom up, of positions; stable. `scratch` takes `cols` positions. */
export function argsort<T>(
  rows: i32, cols: i32, descending: i32, x: usize, scratch: usize, y: usize,
): void {
  for (; rows > 0; rows--) {
    for (let i = 0; i < cols; i++) store<i32>(y + (i << 2), i);
    let from = y;
    let to = scratch;
    for (let width = 1; width < cols; width *= 2) {
      for (let start = 0; start < cols; start += 2 * width) {
        const middle = min(start + width, cols);
        const end = min(start + 2 * width, cols);
        let i = start;
        let j = middle;
        for (let k = start; k < end; k++) {
          let takesRight = i == middle;
          if (!takesRight && j < end) {
            const left = load<T>(x + <usize>load<i32>(from + (i << 2)) * sizeof<T>());
            const right = load<T>(x + <usize>load<i32>(from + (j << 2)) * sizeof<T>());
            takesRight = precedes<T>(right, left, descending);
          }
          const at = takesRight ? j++ : i++;
          store<i32>(to + (k << 2), load<i32>(from + (at << 2)));
        }
      }
      const sorted = to;
      to = from;
      from = sorted;
    }
    if (from != y) memory.copy(y, from, <usize>cols << 2);
    x += <usize>cols * sizeof<T>();
    y += <usize>cols << 2;
  }
}
