import { checkOptions } from "../tensor/options.ts";
import { format, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { foldDeclaration, type Unfolding, unfoldBy, unfoldDeclaration } from "./columns.ts";
import { type Op, op } from "./declare.ts";
import { type Extent, extents, type WindowOptions, windowOn } from "./window.ts";

const names = ["stride", "padding", "dilation"];

/**
 * The pixels that a window sees from each of its positions, as columns: PyTorch's `unfold`, also
 * known as im2col.
 *
 * @param x images `[N, C, H, W]`
 * @param kernelSize of the window, `[KH, KW]`, or a number for both
 * @returns `[N, C KH KW, OH OW]`
 * @throws when x has another rank, or the window does not fit into it
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[[[1, 2, 3], [4, 5, 6]]]]);
 * x.unfold(2).toArray(); // => [[[1, 2], [2, 3], [4, 5], [5, 6]]]
 * ```
 */
export const unfold: Op<(x: Tensor, kernelSize: Extent<2>, options?: WindowOptions) => Tensor> = op(
  unfoldDeclaration,
  (x: Tensor, kernelSize: Extent<2>, options?: WindowOptions) => {
    checkOptions("unfold", options, names);
    if (x.rank !== 4) {
      throw new RangeError(
        `unfold: x must be [N,C,H,W], got ${format(x.shape)}; expandDims adds an axis`,
      );
    }
    const kernel = extents("unfold", "kernelSize", kernelSize, 2, 1);
    return unfoldBy(x, windowOn("unfold", x.shape, kernel, options));
  },
  1,
);

/**
 * The transpose of `unfold`: adds columns up to the pixels of images that they stand for. A pixel
 * that the window sees from several positions is the sum of as many numbers.
 *
 * @param columns `[N, C KH KW, OH OW]`
 * @param imageSize height and width of the images, or a number for both
 * @param kernelSize of the window, `[KH, KW]`, or a number for both
 * @returns images `[N, C, H, W]`
 * @throws when the columns are not those of such a window on such images
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 *
 * ones([1, 4, 2]).fold([2, 3], 2).toArray(); // => [[[[1, 2, 1], [1, 2, 1]]]]
 * ```
 */
export const fold: Op<
  (columns: Tensor, imageSize: Extent<2>, kernelSize: Extent<2>, options?: WindowOptions) => Tensor
> = op(
  foldDeclaration,
  (columns: Tensor, imageSize: Extent<2>, kernelSize: Extent<2>, options?: WindowOptions) => {
    checkOptions("fold", options, names);
    const size = extents("fold", "imageSize", imageSize, 2, 0);
    const kernel = extents("fold", "kernelSize", kernelSize, 2, 1);
    const window = windowOn("fold", size, kernel, options);
    const [pixels, positions] = [sizeOf(kernel), sizeOf(window.positions)];
    const [n, depth] = columns.shape as [number, number];
    if (columns.rank !== 3 || depth % pixels !== 0 || columns.shape[2] !== positions) {
      throw new RangeError(
        `fold: columns must be [N, a multiple of ${pixels}, ${positions}] for a kernel of ${format(kernel)} on images of ${format(size)}, got ${format(columns.shape)}`,
      );
    }
    const images = [n, depth / pixels, ...size];
    return apply(foldDeclaration, [columns], {
      window,
      images,
      columns: columns.shape,
    } satisfies Unfolding);
  },
  1,
);
