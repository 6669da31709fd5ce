import { checkOptions } from "../tensor/options.ts";
import { format, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { type Convolution, convolution } from "./convolution.ts";
import { type Op, op, type Sample } from "./declare.ts";
import { type Extent, extents, type WindowOptions, windowOn } from "./window.ts";

/** Options of a convolution. */
export interface ConvOptions<Axes extends 1 | 2 = 2> extends Omit<WindowOptions<Axes>, "padding"> {
  /**
   * Zeros around the image: as many, `"valid"` for none (the default), or `"same"` for as many as
   * keep the size at stride 1, one more behind than before where they are odd.
   */
  readonly padding?: Extent<Axes> | "same" | "valid";
  /** Channels are divided into so many groups, each with weights of its own; 1 unless given. */
  readonly groups?: number;
}

/** The convolution that shapes and options name, or a thrown sentence. */
function convolutionOf(
  where: string,
  axes: number,
  x: Tensor,
  weight: Tensor,
  options: ConvOptions<1 | 2> | undefined,
): Convolution {
  checkOptions(where, options, ["stride", "padding", "dilation", "groups"]);
  const { groups: given = 1, ...moves } = options ?? {};
  const groups = extents(where, "groups", given, 1, 1)[0]!;
  const shown = `x ${format(x.shape)} and weight ${format(weight.shape)}`;
  if (x.rank !== axes + 2 || weight.rank !== axes + 2) {
    const [image, kernel] = axes === 1 ? ["L", "K"] : ["H,W", "KH,KW"];
    throw new RangeError(
      `${where}: x must be [N,C,${image}] and weight [O,C/groups,${kernel}], got ${shown}; expandDims adds an axis`,
    );
  }
  const [images, channels] = x.shape as [number, number];
  const [features, own, ...kernel] = weight.shape as [number, number];
  if (channels !== own * groups) {
    throw new RangeError(
      `${where}: x must have ${own * groups} channels on axis 1, groups ${groups} times the ${own} of weight, got ${shown}`,
    );
  }
  if (features % groups !== 0) {
    throw new RangeError(
      `${where}: groups must divide the ${features} results on axis 0 of weight, got ${groups} and ${shown}`,
    );
  }
  extents(where, "the kernel size of weight", kernel, axes, 1);
  const window = windowOn(where, x.shape, kernel, moves);
  const y = [images, features, ...window.positions.slice(-axes)];
  return { shapes: [x.shape, weight.shape, y], groups, window };
}

function sample(
  label: string,
  x: Shape,
  weight: Shape,
  call: (x: Tensor, weight: Tensor) => Tensor,
): Sample {
  return { label, inputs: [{ shape: x }, { shape: weight }], call: ([a, b]) => call(a!, b!) };
}

const conv1dDeclaration = convolution("conv1d", [
  sample("x [2,2,5]", [2, 2, 5], [3, 2, 3], (x, w) => conv1d(x, w)),
  sample("strided, padded, dilated, in groups", [1, 4, 9], [2, 2, 3], (x, w) =>
    conv1d(x, w, { stride: 2, padding: 2, dilation: 2, groups: 2 }),
  ),
]);

/**
 * The convolution (cross-correlation, as in PyTorch) of sequences along their last axis:
 * `y[n, o, l]` is the sum over `c` and `k` of
 * `x[n, c, l stride + k dilation - padding] weight[o, c, k]`.
 *
 * @param x sequences `[N, C, L]`
 * @param weight kernels `[O, C / groups, K]`
 * @returns `[N, O, floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1]`
 * @throws when shapes or options do not fit each other, or the kernel does not fit into `x`
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[[1, 2, 4, 8]]]);
 * x.conv1d(tensor([[[-1, 1]]])).toArray(); // => [[[1, 2, 4]]]
 * x.conv1d(tensor([[[1, 1, 1]]]), { padding: "same" }).toArray(); // => [[[3, 7, 14, 12]]]
 * ```
 */
export const conv1d: Op<(x: Tensor, weight: Tensor, options?: ConvOptions<1>) => Tensor> = op(
  conv1dDeclaration,
  (x: Tensor, weight: Tensor, options?: ConvOptions<1>) =>
    apply(conv1dDeclaration, [x, weight], convolutionOf("conv1d", 1, x, weight, options)),
  2,
);

const conv2dDeclaration = convolution("conv2d", [
  sample("x [2,2,4,3]", [2, 2, 4, 3], [3, 2, 2, 3], (x, w) => conv2d(x, w)),
  sample("padded to the same size", [1, 2, 3, 4], [2, 2, 3, 2], (x, w) =>
    conv2d(x, w, { padding: "same" }),
  ),
  sample("strided, dilated, in groups", [1, 2, 6, 5], [2, 1, 2, 2], (x, w) =>
    conv2d(x, w, { stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 2 }),
  ),
  sample("no image", [0, 1, 2, 2], [1, 1, 1, 1], (x, w) => conv2d(x, w)),
]);

/**
 * The convolution (cross-correlation, as in PyTorch) of images: `y[n, o, r, s]` is the sum over
 * `c`, `i` and `j` of `x[n, c, r', s'] weight[o, c, i, j]`, where
 * `r' = r stride + i dilation - padding`, and `s'` likewise of `s` and `j`; outside of the image,
 * `x` is 0. Stride, padding and dilation are numbers, or pairs for rows and columns. Of what it
 * keeps for the gradient nothing is larger than `x` and `weight`.
 *
 * @param x images `[N, C, H, W]`
 * @param weight kernels `[O, C / groups, KH, KW]`
 * @returns `[N, O, OH, OW]` with `OH = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1`
 * @throws when shapes or options do not fit each other, or the kernel does not fit into `x`
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[[[1, 2], [3, 4]]]]);
 * x.conv2d(ones([1, 1, 2, 2])).toArray(); // => [[[[10]]]]
 * x.conv2d(ones([1, 1, 3, 3]), { padding: 1 }).toArray(); // => [[[[10, 10], [10, 10]]]]
 * ones([8, 32, 16, 16]).conv2d(ones([64, 32, 3, 3]), { stride: 2, padding: 1 }).shape; // => [8, 64, 8, 8]
 * ```
 */
export const conv2d: Op<(x: Tensor, weight: Tensor, options?: ConvOptions) => Tensor> = op(
  conv2dDeclaration,
  (x: Tensor, weight: Tensor, options?: ConvOptions) =>
    apply(conv2dDeclaration, [x, weight], convolutionOf("conv2d", 2, x, weight, options)),
  2,
);
