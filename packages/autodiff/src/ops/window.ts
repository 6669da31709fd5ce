// How a window moves over the last one or two axes of a tensor: sizes, and the checks of options.
import type { WindowKernels } from "../kernels/window.ts";
import type { Backend } from "../tensor/backend.ts";
import { format, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { kernelsOf } from "./kernels.ts";

/** A size along one axis for `1d`, along both axes, or along rows and columns, for `2d`. */
export type Extent<Axes extends 1 | 2> = Axes extends 1
  ? number
  : number | readonly [height: number, width: number];

/** How a window moves. */
export interface WindowOptions<Axes extends 1 | 2 = 2> {
  /** Steps from a position of the window to the next; 1 unless given. */
  readonly stride?: Extent<Axes>;
  /** Zeros around the image; 0 unless given. */
  readonly padding?: Extent<Axes>;
  /** Distance of the window's pixels; 1 unless given. */
  readonly dilation?: Extent<Axes>;
}

/** Along rows and columns; the rows of one axis alone are one. */
type Pair = readonly [height: number, width: number];

/** A window on images of one size. */
export interface Window {
  readonly image: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Zeros before the image. */
  readonly padding: Pair;
  /** Positions of the window. */
  readonly positions: Pair;
}

/** Products of two of them are far from what kernels count to. */
const largest = 2 ** 28;

/** Whole numbers of at least `least`, one for each axis. */
export function extents(
  where: string,
  name: string,
  value: unknown,
  axes: number,
  least: number,
): number[] {
  const list: unknown = typeof value === "number" ? new Array<unknown>(axes).fill(value) : value;
  const areWhole =
    Array.isArray(list) &&
    list.length === axes &&
    list.every((each) => Number.isInteger(each) && each >= least && each <= largest);
  if (areWhole) return list as number[];
  const plain = typeof value === "string" ? JSON.stringify(value) : String(value);
  throw new RangeError(
    `${where}: ${name} must be a whole number from ${least} to 2^28${axes > 1 ? ", or a pair of them" : ""}, got ${Array.isArray(value) ? format(value as number[]) : plain}`,
  );
}

/** A window on images of the last axes of a shape: as many as `kernel` has lengths. */
export function windowOn(
  where: string,
  shape: Shape,
  kernel: readonly number[],
  options: { readonly [Name in keyof WindowOptions]?: unknown } = {},
): Window {
  const axes = kernel.length;
  const { stride = 1, padding = 0, dilation = 1 } = options;
  const image = shape.slice(-axes);
  const strides = extents(where, "stride", stride, axes, 1);
  const dilations = extents(where, "dilation", dilation, axes, 1);
  const reach = kernel.map((length, axis) => (length - 1) * dilations[axis]! + 1);
  let before: number[];
  let padded: number[];
  if (padding === "same") {
    if (strides.some((step) => step > 1)) {
      throw new RangeError(
        `${where}: padding "same" keeps the size, which stride ${format(strides)} does not; use stride 1, or padding as numbers`,
      );
    }
    // As in PyTorch, what is odd comes behind.
    before = reach.map((length) => (length - 1) >> 1);
    padded = image.map((length, axis) => length + reach[axis]! - 1);
  } else {
    if (typeof padding === "string" && padding !== "valid") {
      throw new RangeError(
        `${where}: padding must be numbers, "same" or "valid", got ${JSON.stringify(padding)}`,
      );
    }
    before = extents(where, "padding", padding === "valid" ? 0 : padding, axes, 0);
    padded = image.map((length, axis) => length + 2 * before[axis]!);
  }
  if (padded.some((length, axis) => length < reach[axis]!)) {
    throw new RangeError(
      `${where}: a kernel that reaches over ${format(reach)} does not fit into ${format(image)} padded to ${format(padded)}; use padding, or a smaller kernel or dilation`,
    );
  }
  const positions = padded.map((length, axis) =>
    Math.floor((length - reach[axis]!) / strides[axis]! + 1),
  );
  const pair = (along: readonly number[], alone: number) =>
    (axes === 2 ? along : [alone, ...along]) as unknown as Pair;
  return {
    image: pair(image, 1),
    kernel: pair(kernel, 1),
    stride: pair(strides, 1),
    dilation: pair(dilations, 1),
    padding: pair(before, 0),
    positions: pair(positions, 1),
  };
}

/** Some of a window's positions. */
export interface Part {
  readonly row: number;
  readonly col: number;
  readonly rows: number;
  readonly cols: number;
}

/** Moves pixels of images to columns, or adds columns to pixels. */
export function moveWindow(
  backend: Backend,
  name: keyof WindowKernels,
  like: Tensor,
  { image, kernel, stride, dilation, padding }: Window,
  channels: number,
  { row, col, rows, cols }: Part,
  x: number,
  y: number,
): void {
  const [top, left] = [row * stride[0] - padding[0], col * stride[1] - padding[1]];
  const run = kernelsOf(backend, like)[name];
  run(channels, ...image, ...kernel, ...stride, ...dilation, top, left, rows, cols, x, y);
}
