import { bytesOf } from "../tensor/dtype.ts";
import { format, normalizeAxes, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { describe, type Op, type OpDeclaration, op } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import { reshape } from "./shape.ts";
import { copyStrided, planes } from "./strided.ts";
import { isContiguous, layoutOf, type Section, unslice } from "./unslice.ts";

/**
 * What to take along one axis: an index (the axis goes away), `[start, stop, step]` with the end
 * open where left out or `null`, or `null` for all. Negative positions count from the end; a
 * negative step walks backwards.
 */
export type Range =
  | number
  | null
  | readonly [start?: number | null, stop?: number | null, step?: number | null];

function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/** One axis of a section, by Python's rules for slices. */
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

const sliceDeclaration: OpDeclaration<Section> = {
  name: "slice",
  inputs: ["x"],
  accepts: "any",
  shape: (_inputs, { lengths }) => lengths,
  view: (_inputs, section) => (isContiguous(section) ? layoutOf(section).first : undefined),
  forward(backend, [x], y, section) {
    if (y.size === 0) return;
    const { first, strides } = layoutOf(section);
    const from = x!.pointer + first * bytesOf[y.dtype];
    copyStrided(backend, y.dtype, y.shape, from, strides, y.pointer, stridesOf(y.shape));
  },
  residuals: { inputs: [], output: false },
  vjp: [(g, { attributes }) => unslice(g, attributes)],
  jvp: "linear",
  accumulate: [
    (g, { attributes: section }, into) => {
      if (g.size === 0) return;
      const { first, strides } = layoutOf(section);
      const walk = planes(section.lengths, [stridesOf(section.lengths), strides]);
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

/**
 * Part of a tensor, by Python's rules: `slice(x, [null, [1, -1], -1])` is NumPy's `x[:, 1:-1, -1]`.
 * Axes beyond the list are taken whole. Whole leading rows are not copied.
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
    const section: Section = {
      whole: x.shape,
      starts: along.map(([start]) => start),
      steps: along.map(([, step]) => step),
      lengths: along.map(([, , length]) => length),
    };
    const part = apply(sliceDeclaration, [x], section);
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
