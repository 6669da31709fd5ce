import { bytesOf } from "../tensor/dtype.ts";
import { format, normalizeAxes, type Shape, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { describe, type Op, type OpDeclaration, op } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import { reshape } from "./shape.ts";
import { copyStrided, planes } from "./strided.ts";

/**
 * What to take along one axis: an index (the axis goes away), `[start, stop, step]` with the end open where left
 * out or `null`, or `null` for all. Negative positions count from the end; a negative step walks backwards.
 */
export type Range =
  | number
  | null
  | readonly [start?: number | null, stop?: number | null, step?: number | null];

/** A window on a larger shape: where it starts, how it steps, and how long it is along each axis. */
export interface Window {
  readonly whole: Shape;
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly lengths: Shape;
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/** One axis of a window, by Python's rules for slices. */
function rangeAlong(range: Range, length: number, axis: number): [number, number, number] {
  if (range === null) return [0, 1, length];
  if (typeof range === "number") {
    const index = range < 0 ? range + length : range;
    if (!Number.isInteger(range) || index < 0 || index >= length) {
      throw new RangeError(
        `slice: index ${range} is out of range for axis ${axis} of length ${length}`,
      );
    }
    return [index, 1, 1];
  }
  if (!Array.isArray(range) || range.length > 3) {
    throw new TypeError(
      `slice: axis ${axis} takes an index, [start, stop, step] or null, got ${describe(range)}${Array.isArray(range) ? ` of ${range.length}` : ""}`,
    );
  }
  const step = range[2] ?? 1;
  if (!Number.isInteger(step) || step === 0) {
    throw new RangeError(
      `slice: step along axis ${axis} must be a whole number other than 0, got ${step}`,
    );
  }
  const position = (value: number | null | undefined, open: number): number => {
    if (value === null || value === undefined) return open;
    if (!Number.isInteger(value)) {
      throw new RangeError(
        `slice: positions along axis ${axis} must be whole numbers, got ${value}`,
      );
    }
    const counted = value < 0 ? value + length : value;
    return step > 0 ? clamp(counted, 0, length) : clamp(counted, -1, length - 1);
  };
  const start = position(range[0], step > 0 ? 0 : length - 1);
  const stop = position(range[1], step > 0 ? length : -1);
  return [start, step, Math.max(0, Math.ceil((stop - start) / step))];
}

/** Element offset of the window's first element, and its strides, on row-major `whole`. */
function place({ whole, starts, steps }: Window): { first: number; strides: number[] } {
  const strides = stridesOf(whole);
  let first = 0;
  starts.forEach((start, axis) => {
    first += start * strides[axis]!;
  });
  return { first, strides: strides.map((stride, axis) => stride * steps[axis]!) };
}

/** True when the window's elements stand side by side in `whole`. */
function isContiguous({ whole, steps, lengths }: Window): boolean {
  let axis = 0;
  while (axis < whole.length && lengths[axis] === 1) axis++;
  if (axis < whole.length && steps[axis] !== 1) return false;
  for (axis++; axis < whole.length; axis++) {
    if (lengths[axis] !== whole[axis] || (steps[axis] !== 1 && whole[axis] !== 1)) return false;
  }
  return true;
}

const sliceDeclaration: OpDeclaration<Window> = {
  name: "slice",
  inputs: ["x"],
  accepts: "any",
  shape: (_inputs, { lengths }) => lengths,
  view: (_inputs, window) => (isContiguous(window) ? place(window).first : undefined),
  forward(backend, [x], y, window) {
    if (y.size === 0) return;
    const { first, strides } = place(window);
    const from = x!.pointer + first * bytesOf[y.dtype];
    copyStrided(backend, y.dtype, y.shape, from, strides, y.pointer, stridesOf(y.shape));
  },
  residuals: { inputs: [], output: false },
  vjp: [(g, { attributes }) => unslice(g, attributes)],
  jvp: "linear",
  accumulate: [
    (g, { attributes: window }, into) => {
      if (g.size === 0) return;
      const { first, strides } = place(window);
      const walk = planes(window.lengths, [stridesOf(window.lengths), strides]);
      const { addTo } = kernelsOf(into.block.backend, into);
      const bytes = bytesOf[into.dtype];
      const [[gRow, intoRow], [gCol, intoCol]] = [walk.row, walk.col];
      for (let plane = 0; plane < walk.offsets[0]!.length; plane++) {
        const from = g.pointer + walk.offsets[0]![plane]! * bytes;
        const to = into.pointer + (first + walk.offsets[1]![plane]!) * bytes;
        addTo(walk.rows, walk.cols, from, gRow!, gCol!, to, intoRow!, intoCol!);
      }
    },
  ],
  samples: [
    { label: "rows", inputs: [{ shape: [4, 3] }], call: ([x]) => slice(x!, [[1, 3]]) },
    { label: "an index", inputs: [{ shape: [4, 3] }], call: ([x]) => slice(x!, [-1]) },
    {
      label: "columns backwards in twos",
      inputs: [{ shape: [2, 5] }],
      call: ([x]) => slice(x!, [null, [-1, null, -2]]),
    },
    { label: "nothing", inputs: [{ shape: [3] }], call: ([x]) => slice(x!, [[2, 1]]) },
  ],
};

const unsliceDeclaration: OpDeclaration<Window> = {
  name: "unslice",
  inputs: ["g"],
  shape: (_inputs, { whole }) => whole,
  forward(backend, [g], y, window) {
    kernelsOf(backend, y).fill(y.size, 0, y.pointer);
    if (g!.size === 0) return;
    const { first, strides } = place(window);
    const to = y.pointer + first * bytesOf[y.dtype];
    copyStrided(backend, y.dtype, g!.shape, g!.pointer, stridesOf(g!.shape), to, strides);
  },
  residuals: { inputs: [], output: false },
  vjp: [(g, { attributes }) => apply(sliceDeclaration, [g], attributes)],
  jvp: "linear",
  samples: [
    {
      label: "into [2,4]",
      inputs: [{ shape: [2, 2] }],
      call: ([g]) =>
        unslice(g!, { whole: [2, 4], starts: [0, 3], steps: [1, -2], lengths: [2, 2] }),
    },
  ],
};

/** The adjoint of `slice`: zeros of the whole shape with `g` at the window's places. @internal */
export const unslice: Op<(g: Tensor, window: Window) => Tensor> = op(
  unsliceDeclaration,
  (g: Tensor, window: Window) => apply(unsliceDeclaration, [g], window),
  1,
);

/**
 * Part of a tensor, by Python's rules: `slice(x, [null, [1, -1], -1])` is NumPy's `x[:, 1:-1, -1]`. Axes beyond
 * the list are taken whole. Whole leading rows are not copied.
 *
 * @throws for an index out of range, a step of 0, or more ranges than axes
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[0, 1, 2], [3, 4, 5], [6, 7, 8]]);
 * x.slice([1]).toArray(); // => [3, 4, 5]
 * x.slice([[1]]).toArray(); // => [[3, 4, 5], [6, 7, 8]]
 * x.slice([null, [0, -1]]).toArray(); // => [[0, 1], [3, 4], [6, 7]]
 * x.slice([-1, [null, null, -1]]).toArray(); // => [8, 7, 6]
 * ```
 */
export const slice: Op<(x: Tensor, ranges: readonly Range[]) => Tensor> = op(
  sliceDeclaration,
  (x: Tensor, ranges: readonly Range[]) => {
    if (!Array.isArray(ranges)) {
      throw new TypeError(
        `slice: expected an array with a range per axis, got ${describe(ranges)}; x.slice([0]) is NumPy's x[0]`,
      );
    }
    if (ranges.length > x.rank) {
      throw new RangeError(
        `slice: got ${ranges.length} ranges for shape ${format(x.shape)} of rank ${x.rank}; give at most one per axis`,
      );
    }
    const along = x.shape.map((length, axis) => rangeAlong(ranges[axis] ?? null, length, axis));
    const window: Window = {
      whole: x.shape,
      starts: along.map(([start]) => start),
      steps: along.map(([, step]) => step),
      lengths: along.map(([, , length]) => length),
    };
    const part = apply(sliceDeclaration, [x], window);
    if (!ranges.some((range) => typeof range === "number")) return part;
    return reshape(
      part,
      part.shape.filter((_, axis) => typeof ranges[axis] !== "number"),
    );
  },
  1,
);

/**
 * The order of elements reversed along the axes named (all unless given).
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([[1, 2], [3, 4]]).flip(1).toArray(); // => [[2, 1], [4, 3]]
 * ```
 */
export const flip: Op<(x: Tensor, axes?: number | readonly number[]) => Tensor> = op(
  {
    name: "flip",
    composite: true,
    samples: [
      { label: "[2,3]", inputs: [{ shape: [2, 3] }], call: ([x]) => flip(x!) },
      { label: "axis 0", inputs: [{ shape: [2, 3] }], call: ([x]) => flip(x!, 0) },
    ],
  },
  (x: Tensor, axes?: number | readonly number[]) => {
    const turned = new Set(normalizeAxes(axes, x.rank, "flip"));
    return slice(
      x,
      x.shape.map((_, axis) => (turned.has(axis) ? [null, null, -1] : null)),
    );
  },
  1,
);
