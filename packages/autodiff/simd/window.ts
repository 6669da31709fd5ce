import { addTo } from "./move/add";
import { copy } from "./move/copy";

/** The first of `count` positions, `stride` apart from `start`, that is not below 0. */
// @ts-ignore: decorator
@inline
function firstInside(start: i32, stride: i32, count: i32): i32 {
  return start < 0 ? min(count, (stride - 1 - start) / stride) : 0;
}

function clear<T>(n: i32, y: usize): void {
  for (; n > 0; n--) {
    store<T>(y, <T>0);
    y += sizeof<T>();
  }
}

/** Zeros around the rectangle `[r0, r1)` x `[c0, c1)` of `y[rows, cols]`. */
function clearAround<T>(rows: i32, cols: i32, r0: i32, r1: i32, c0: i32, c1: i32, y: usize): void {
  const step = <usize>cols * sizeof<T>();
  clear<T>(r0 * cols, y);
  clear<T>((rows - r1) * cols, y + <usize>r1 * step);
  if (c0 == 0 && c1 == cols) return;
  for (let r = r0; r < r1; r++) {
    const row = y + <usize>r * step;
    clear<T>(c0, row);
    clear<T>(cols - c1, row + <usize>c1 * sizeof<T>());
  }
}

/**
 * For each channel and each element of the kernel, the rectangle of positions at which the element
 * lies inside of the image: its pixels go to the columns, or, when `adds`, are added from there.
 */
// @ts-ignore: decorator
@inline
function move<T>(
  adds: bool, channels: i32, height: i32, width: i32, kernelHeight: i32, kernelWidth: i32,
  strideHeight: i32, strideWidth: i32, dilationHeight: i32, dilationWidth: i32, top: i32,
  left: i32, rows: i32, cols: i32, image: usize, columns: usize,
): void {
  for (; channels > 0; channels--) {
    for (let i = 0; i < kernelHeight; i++) {
      const row = top + i * dilationHeight;
      const r0 = firstInside(row, strideHeight, rows);
      const r1 = firstInside(row - height, strideHeight, rows);
      for (let j = 0; j < kernelWidth; j++) {
        const col = left + j * dilationWidth;
        const c0 = firstInside(col, strideWidth, cols);
        const c1 = firstInside(col - width, strideWidth, cols);
        const pixels = image
          + <usize>((row + r0 * strideHeight) * width + col + c0 * strideWidth) * sizeof<T>();
        const inside = columns + <usize>(r0 * cols + c0) * sizeof<T>();
        const step = strideHeight * width;
        if (adds) {
          addTo<T>(r1 - r0, c1 - c0, inside, cols, 1, pixels, step, strideWidth);
        } else {
          clearAround<T>(rows, cols, r0, r1, c0, c1, columns);
          copy<T>(r1 - r0, c1 - c0, pixels, step, strideWidth, inside, cols, 1);
        }
        columns += <usize>(rows * cols) * sizeof<T>();
      }
    }
    image += <usize>(height * width) * sizeof<T>();
  }
}

export function f32_unfold(
  channels: i32, height: i32, width: i32, kernelHeight: i32, kernelWidth: i32, strideHeight: i32,
  strideWidth: i32, dilationHeight: i32, dilationWidth: i32, top: i32, left: i32, rows: i32,
  cols: i32, x: usize, y: usize,
): void {
  move<f32>(
    false, channels, height, width, kernelHeight, kernelWidth, strideHeight, strideWidth,
    dilationHeight, dilationWidth, top, left, rows, cols, x, y,
  );
}

export function f32_fold(
  channels: i32, height: i32, width: i32, kernelHeight: i32, kernelWidth: i32, strideHeight: i32,
  strideWidth: i32, dilationHeight: i32, dilationWidth: i32, top: i32, left: i32, rows: i32,
  cols: i32, x: usize, y: usize,
): void {
  move<f32>(
    true, channels, height, width, kernelHeight, kernelWidth, strideHeight, strideWidth,
    dilationHeight, dilationWidth, top, left, rows, cols, y, x,
  );
}

export function f64_unfold(
  channels: i32, height: i32, width: i32, kernelHeight: i32, kernelWidth: i32, strideHeight: i32,
  strideWidth: i32, dilationHeight: i32, dilationWidth: i32, top: i32, left: i32, rows: i32,
  cols: i32, x: usize, y: usize,
): void {
  move<f64>(
    false, channels, height, width, kernelHeight, kernelWidth, strideHeight, strideWidth,
    dilationHeight, dilationWidth, top, left, rows, cols, x, y,
  );
}

export function f64_fold(
  channels: i32, height: i32, width: i32, kernelHeight: i32, kernelWidth: i32, strideHeight: i32,
  strideWidth: i32, dilationHeight: i32, dilationWidth: i32, top: i32, left: i32, rows: i32,
  cols: i32, x: usize, y: usize,
): void {
  move<f64>(
    true, channels, height, width, kernelHeight, kernelWidth, strideHeight, strideWidth,
    dilationHeight, dilationWidth, top, left, rows, cols, y, x,
  );
}
