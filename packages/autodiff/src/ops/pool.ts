import { isFloat } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import { format } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { unfoldBy } from "./columns.ts";
import { type Op, op } from "./declare.ts";
import { pad } from "./pad.ts";
import { max, sum } from "./reduce.ts";
import { reshape } from "./shape.ts";
import { mean } from "./statistics.ts";
import { type Extent, extents, type WindowOptions, windowOn } from "./window.ts";

/** Options of a pooling: `stride` is the kernel size unless given. */
export type PoolOptions<Axes extends 1 | 2 = 2> = Omit<WindowOptions<Axes>, "dilation">;

/** A pooling along the last axis, or the last two. */
export type PoolOp<Axes extends 1 | 2> = Op<
  (x: Tensor, kernelSize: Extent<Axes>, options?: PoolOptions<Axes>) => Tensor
>;

/**
 * A pooling: what becomes of the pixels that a window sees, where `outside` surrounds the image.
 */
function pooling<Axes extends 1 | 2>(
  name: string,
  axes: Axes,
  outside: number,
  reduce: (x: Tensor, axis: number) => Tensor,
): PoolOp<Axes> {
  const both = (height: number, width: number) =>
    (axes === 2 ? [height, width] : width) as Extent<Axes>;
  const pool: PoolOp<Axes> = op(
    {
      name,
      composite: true,
      ...(outside === 0 ? {} : { apart: true }),
      samples: [
        {
          label: "by 2",
          inputs: [{ shape: [2, 2, ...[4, 5].slice(-axes)] }],
          call: ([x]) => pool(x!, both(2, 2)),
        },
        {
          label: "overlapping, padded",
          inputs: [{ shape: [1, 2, ...[3, 4].slice(-axes)] }],
          call: ([x]) => pool(x!, both(2, 3), { stride: both(1, 2), padding: both(0, 1) }),
        },
      ],
    },
    (x: Tensor, kernelSize: Extent<Axes>, options?: PoolOptions<Axes>) => {
      checkOptions(name, options, ["stride", "padding"]);
      if (x.rank !== axes + 2 || !isFloat(x.dtype)) {
        throw new RangeError(
          `${name}: x must be [N,C,${axes === 1 ? "L" : "H,W"}] of float32 or float64, got ${x.dtype} ${format(x.shape)}; expandDims adds an axis, cast changes the dtype`,
        );
      }
      const kernel = extents(name, "kernelSize", kernelSize, axes, 1);
      const { stride = kernel, padding = 0 } = options ?? {};
      const before = extents(name, "padding", padding, axes, 0);
      if (before.some((width, axis) => 2 * width > kernel[axis]!)) {
        throw new RangeError(
          `${name}: padding must be at most half of the kernel size ${format(kernel)}, got ${format(before)}; a window would see nothing else`,
        );
      }
      // -Infinity has to be there; zeros are what a window sees outside.
      const isPadded = outside !== 0 && before.some((width) => width > 0);
      const image = isPadded
        ? pad(
            x,
            [[0, 0], [0, 0], ...before.map((width): [number, number] => [width, width])],
            outside,
          )
        : x;
      const moves = { stride, padding: isPadded ? 0 : padding };
      const window = windowOn(name, image.shape, kernel, moves);
      const columns = unfoldBy(image, window);
      const shape = [...x.shape.slice(0, 2), -1, ...window.positions.slice(-axes)];
      const seen = reshape(columns, shape);
      // Of no images there is no largest element, and no result either.
      return seen.size === 0 ? sum(seen, 2) : reduce(seen, 2);
    },
    1,
  );
  return pool;
}

/**
 * The largest element that a window of `kernelSize` sees from each of its positions on sequences
 * `[N, C, L]`; NaN where it sees one. Equal elements share the gradient evenly, as in `max`.
 *
 * @returns `[N, C, floor((L + 2 padding - kernelSize) / stride) + 1]`
 * @throws when the window does not fit into `x`, or padding is more than half of it
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[[1, 5, 2, 4, 3]]]);
 * x.maxPool1d(2).toArray(); // => [[[5, 4]]]
 * x.maxPool1d(3, { stride: 1, padding: 1 }).toArray(); // => [[[5, 5, 5, 4, 4]]]
 * ```
 */
export const maxPool1d: PoolOp<1> = pooling("maxPool1d", 1, -Infinity, max);

/**
 * The largest element that a window of `kernelSize` sees from each of its positions on images
 * `[N, C, H, W]`; NaN where it sees one. Equal elements share the gradient evenly, as in `max`.
 *
 * @param kernelSize `[KH, KW]`, or a number for both, as stride and padding
 * @returns `[N, C, OH, OW]` with `OH = floor((H + 2 padding - KH) / stride) + 1`
 * @throws when the window does not fit into `x`, or padding is more than half of it
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[[[1, 5, 2, 4], [3, 0, 8, 6]]]]);
 * x.maxPool2d(2).toArray(); // => [[[[5, 8]]]]
 * x.maxPool2d([1, 2]).toArray(); // => [[[[5, 4], [3, 8]]]]
 * ```
 */
export const maxPool2d: PoolOp<2> = pooling("maxPool2d", 2, -Infinity, max);

/**
 * The mean of the elements that a window of `kernelSize` sees from each of its positions on
 * sequences `[N, C, L]`; zeros of the padding count, as in PyTorch.
 *
 * @returns `[N, C, floor((L + 2 padding - kernelSize) / stride) + 1]`
 * @throws when the window does not fit into `x`, or padding is more than half of it
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[[1, 5, 2, 4]]]);
 * x.averagePool1d(2).toArray(); // => [[[3, 3]]]
 * x.averagePool1d(2, { padding: 1 }).toArray(); // => [[[0.5, 3.5, 2]]]
 * ```
 */
export const averagePool1d: PoolOp<1> = pooling("averagePool1d", 1, 0, mean);

/**
 * The mean of the elements that a window of `kernelSize` sees from each of its positions on images
 * `[N, C, H, W]`; zeros of the padding count, as in PyTorch.
 *
 * @param kernelSize `[KH, KW]`, or a number for both, as stride and padding
 * @returns `[N, C, OH, OW]` with `OH = floor((H + 2 padding - KH) / stride) + 1`
 * @throws when the window does not fit into `x`, or padding is more than half of it
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[[[1, 5, 2, 4], [3, 3, 8, 6]]]]);
 * x.averagePool2d(2).toArray(); // => [[[[3, 5]]]]
 * ```
 */
export const averagePool2d: PoolOp<2> = pooling("averagePool2d", 2, 0, mean);
