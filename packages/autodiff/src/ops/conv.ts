import type { Backend } from "../tensor/backend.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import { format, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { type Op, type OpDeclaration, op, type Sample } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import {
  type Extent,
  extents,
  moveWindow,
  type Part,
  type Window,
  type WindowOptions,
  windowOn,
} from "./window.ts";

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

/** A convolution of one size: `x` `[N, C, ...]`, `weight` `[O, C / groups, ...]`, `y` `[N, O, ...]`. */
interface Convolution {
  readonly shapes: readonly [x: Shape, weight: Shape, y: Shape];
  readonly groups: number;
  readonly window: Window;
}

/** Places among the operands of a convolution. */
const [X, WEIGHT, Y] = [0, 1, 2] as const;

/** Elements of the columns that are unfolded at a time: they stay in the second cache. */
const tileElements = 2 ** 16;

/** The positions of a window in parts whose columns of `depth` elements are that many. */
function partsOf({ positions: [height, width] }: Window, depth: number): Part[] {
  const most = Math.max(1, Math.floor(tileElements / Math.max(1, depth)));
  const parts: Part[] = [];
  // As even as can be: whole rows, or, where they are too long, pieces of one.
  const rows = Math.ceil(height / Math.ceil(height / Math.max(1, Math.floor(most / width))));
  const cols = Math.ceil(width / Math.ceil(width / most));
  for (let row = 0; row < height; row += rows) {
    for (let col = 0; col < width; col += cols) {
      parts.push({
        row,
        col,
        rows: Math.min(rows, height - row),
        cols: Math.min(cols, width - col),
      });
    }
  }
  return parts;
}

/**
 * Computes one operand of a convolution from the two others, `y = W unfold(x)`,
 * `x = fold(W' y)` or `W = y unfold(x)'`, image by image, group by group, part by part: one part of
 * the unfolded image exists at a time.
 */
function compute(
  backend: Backend,
  makes: number,
  operands: readonly Tensor[],
  { shapes, groups, window }: Convolution,
  accumulate: boolean,
): void {
  const [x, weight, y] = operands as [Tensor, Tensor, Tensor];
  const made = operands[makes]!;
  const { matmul, fill } = kernelsOf(backend, made);
  if (makes !== Y && !accumulate) fill(made.size, 0, made.pointer);
  const [[images, channels], [features]] = shapes as [[number, number], [number], Shape];
  const bytes = bytesOf[made.dtype];
  const own = channels / groups;
  const out = features / groups;
  const depth = own * sizeOf(window.kernel);
  const positions = sizeOf(window.positions);
  const parts = partsOf(window, depth);
  const [{ rows, cols }] = parts as [Part];
  const scratchBytes = depth * rows * cols * bytes;
  const columns = backend.memory.allocate(scratchBytes);
  for (let i = 0; i < images * groups; i++) {
    const image = x.pointer + i * own * sizeOf(window.image) * bytes;
    const w = weight.pointer + (i % groups) * out * depth * bytes;
    for (const part of parts) {
      const n = part.rows * part.cols;
      const at = i * out * positions + part.row * window.positions[1] + part.col;
      const to = y.pointer + at * bytes;
      if (makes === X) {
        matmul(depth, n, out, w, depth, 1, to, positions, 0, columns, n, 0);
        moveWindow(backend, "fold", made, window, own, part, columns, image);
        continue;
      }
      moveWindow(backend, "unfold", made, window, own, part, image, columns);
      if (makes === Y)
        matmul(out, n, depth, w, depth, 0, columns, n, 0, to, positions, +accumulate);
      else matmul(out, depth, n, to, positions, 0, columns, n, 1, w, depth, 1);
    }
  }
  backend.memory.release(columns, scratchBytes);
}

/**
 * The ops that compute `x`, `weight` and `y` of a convolution from the two others. The sum of
 * `y` times its cotangent is linear in each of the three, so the gradient of each op by each
 * operand is another one of them.
 */
function convolution(name: string, samples: readonly Sample[]): OpDeclaration<Convolution> {
  const all = ["x", "weight", "y"];
  const declarations = [`${name}Input`, `${name}Weight`, name].map(
    (called, makes): OpDeclaration<Convolution> => {
      const given = [X, WEIGHT, Y].filter((place) => place !== makes);
      /** All operands, `made` and the inputs, with `value` in place of one of these. */
      const operands = (made: Tensor | null, inputs: readonly Tensor[], i = -1, value?: Tensor) => {
        const list: Tensor[] = [];
        list[makes] = made!;
        given.forEach((place, at) => {
          list[place] = at === i ? value! : inputs[at]!;
        });
        return list;
      };
      return {
        name: called,
        inputs: given.map((place) => all[place]!),
        shape: (_inputs, { shapes }) => shapes[makes]!,
        forward: (backend, inputs, output, attributes) =>
          compute(backend, makes, operands(output, inputs), attributes, false),
        residuals: { inputs: [0, 1], output: false },
        vjp: (g, { inputs, attributes }, i) =>
          apply(
            declarations[given[i]!]!,
            operands(g, inputs).filter((_, place) => place !== given[i]),
            attributes,
          ),
        accumulate: given.map(
          (place, i) =>
            (g, { inputs, attributes }, into) =>
              compute(into.block.backend, place, operands(g, inputs, i, into), attributes, true),
        ),
        jvp: (tangents, { inputs, attributes }) =>
          tangents
            .map((dx, i) => dx && apply(declarations[makes]!, inputs.with(i, dx), attributes))
            .reduce((a, b) => (a && b ? a.add(b) : (a ?? b)))!,
        samples: makes === Y ? samples : [],
      };
    },
  );
  return declarations[Y]!;
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
  if (channels !== own * groups || features % groups !== 0) {
    throw new RangeError(
      `${where}: x must have ${own * groups} channels on axis 1, and weight a multiple of ${groups} on axis 0, for groups ${groups}, got ${shown}`,
    );
  }
  extents(where, "kernel size", kernel, axes, 1);
  const window = windowOn(where, x, kernel, moves);
  const y = [images, features, ...window.positions.slice(-axes)];
  return { shapes: [x.shape, weight.shape, y], groups, window };
}

const conv1dDeclaration = convolution("conv1d", [
  sample("x [2,2,5]", [2, 2, 5], [3, 2, 3], (x, w) => conv1d(x, w)),
  sample("strided, padded, dilated, in groups", [1, 4, 9], [2, 2, 3], (x, w) =>
    conv1d(x, w, { stride: 2, padding: 2, dilation: 2, groups: 2 }),
  ),
]);

/**
 * The convolution (cross-correlation, as in PyTorch) of sequences along their last axis: `y[n, o, l]`
 * is the sum over `c` and `k` of `x[n, c, l stride + k dilation - padding] weight[o, c, k]`.
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
 * The convolution (cross-correlation, as in PyTorch) of images: `y[n, o, r, s]` is the sum over `c`,
 * `i` and `j` of `x[n, c, r stride + i dilation - padding, s stride + j dilation - padding]
 * weight[o, c, i, j]`, with zeros outside of the image. Stride, padding and dilation are numbers, or
 * pairs for rows and columns. Of what it keeps for the gradient nothing is larger than `x` and `weight`.
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

function sample(
  label: string,
  x: Shape,
  weight: Shape,
  call: (x: Tensor, weight: Tensor) => Tensor,
): Sample {
  return { label, inputs: [{ shape: x }, { shape: weight }], call: ([a, b]) => call(a!, b!) };
}
