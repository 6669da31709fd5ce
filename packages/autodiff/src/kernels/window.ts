import type { Memory } from "./memory.ts";
import type { KernelsOf } from "./signature.ts";

/**
 * A window of `[kernelHeight, kernelWidth]` pixels, `dilation` apart, moves over images
 * `[channels, height, width]` in steps of `stride`: `rows` times down and `cols` times to the
 * right, from the pixel `(top, left)`, which may lie outside. For a channel `c`, the window's pixel
 * `(i, j)` and its position `(r, s)`, the column `y[c, i, j, r, s]` is
 * `x[c, top + i*dilationHeight + r*strideHeight, left + j*dilationWidth + s*strideWidth]`, or 0
 * outside of the image.
 */
export const windowSignatures = {
  unfold:
    "channels height width kernelHeight kernelWidth strideHeight strideWidth dilationHeight dilationWidth top left rows cols x:in y:out",
  /** The transpose of `unfold`: adds each column of `x` to the pixel of `y` that it names. */
  fold: "channels height width kernelHeight kernelWidth strideHeight strideWidth dilationHeight dilationWidth top left rows cols x:in y:inout",
} as const;
export type WindowKernels = KernelsOf<typeof windowSignatures>;

/** The definitions in plain loops. */
export function referenceWindows(memory: Memory, dtype: "float32" | "float64"): WindowKernels {
  const size = dtype === "float32" ? 4 : 8;
  type Visit = (view: Float32Array | Float64Array, pixel: number, column: number) => void;
  /** `pixel` is -1 outside of the image. */
  const kernel = (visit: Visit, isFold: boolean): WindowKernels["unfold"] => {
    return (channels, height, width, kh, kw, sh, sw, dh, dw, top, left, rows, cols, x, y) => {
      const [image, columns] = isFold ? [y / size, x / size] : [x / size, y / size];
      for (let at = 0; at < channels * kh * kw * rows * cols; at++) {
        const [c, i, j, r, s] = digits(at, kh, kw, rows, cols);
        const [row, col] = [top + i * dh + r * sh, left + j * dw + s * sw];
        const isInside = row >= 0 && row < height && col >= 0 && col < width;
        const pixel = isInside ? image + (c * height + row) * width + col : -1;
        visit(memory.views[dtype], pixel, columns + at);
      }
    };
  };
  return {
    unfold: kernel((view, pixel, column) => {
      view[column] = pixel < 0 ? 0 : view[pixel]!;
    }, false),
    fold: kernel((view, pixel, column) => {
      if (pixel >= 0) view[pixel]! += view[column]!;
    }, true),
  };
}

type Indices = [c: number, i: number, j: number, r: number, s: number];

/** The indices of an element of `[..., kh, kw, rows, cols]`, counted through. */
function digits(at: number, ...lengths: readonly number[]): Indices {
  const found: number[] = [];
  let rest = at;
  for (const length of lengths.toReversed()) {
    found.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return [rest, ...found] as Indices;
}
