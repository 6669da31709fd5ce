import { checkShape, format, normalizeAxis } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Op, op } from "./declare.ts";
import { gather } from "./indexing.ts";
import { concat } from "./join.ts";
import { pad } from "./pad.ts";
import { broadcastTo, reshape } from "./shape.ts";
import { slice } from "./slice.ts";

/**
 * `x` repeated `counts[i]` times along axis `i`; missing leading axes count as 1, as in NumPy.
 *
 * @throws unless the counts are whole numbers of at least 0
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([1, 2]).tile([2, 2]).toArray(); // => [[1, 2, 1, 2], [1, 2, 1, 2]]
 * ```
 */
export const tile: Op<(x: Tensor, counts: readonly number[]) => Tensor> = op(
  {
    name: "tile",
    composite: true,
    samples: [
      { label: "[2,3] by [2,1]", inputs: [{ shape: [2, 3] }], call: ([x]) => tile(x!, [2, 1]) },
      { label: "[2] by [3,2]", inputs: [{ shape: [2] }], call: ([x]) => tile(x!, [3, 2]) },
    ],
  },
  (x: Tensor, counts: readonly number[]) => {
    checkShape(counts, "tile");
    const rank = Math.max(x.rank, counts.length);
    const lengths = [...Array(rank - x.rank).fill(1), ...x.shape] as number[];
    const times = [...Array(rank - counts.length).fill(1), ...counts] as number[];
    const single = reshape(
      x,
      lengths.flatMap((n) => [1, n]),
    );
    const repeated = broadcastTo(
      single,
      lengths.flatMap((n, axis) => [times[axis]!, n]),
    );
    return reshape(
      repeated,
      lengths.map((n, axis) => n * times[axis]!),
    );
  },
  1,
);

/**
 * Each element along an axis (0 unless given) repeated `counts` times, or each its own number of
 * times: NumPy's `repeat`, PyTorch's `repeat_interleave`.
 *
 * @throws unless the counts are whole numbers of at least 0, one or as many as the axis is long
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([1, 2]).repeat(2).toArray(); // => [1, 1, 2, 2]
 * tensor([1, 2]).repeat([1, 3]).toArray(); // => [1, 2, 2, 2]
 * ```
 */
export const repeat: Op<(x: Tensor, counts: number | readonly number[], axis?: number) => Tensor> =
  op(
    {
      name: "repeat",
      composite: true,
      samples: [
        { label: "twice", inputs: [{ shape: [2, 3] }], call: ([x]) => repeat(x!, 2, 1) },
        {
          label: "0, 2, 1 times",
          inputs: [{ shape: [3, 2] }],
          call: ([x]) => repeat(x!, [0, 2, 1]),
        },
      ],
    },
    (x: Tensor, counts: number | readonly number[], axis = 0) => {
      const at = normalizeAxis(axis, x.rank, "repeat");
      const length = x.shape[at]!;
      const list = [counts].flat();
      if (!list.every((count) => Number.isInteger(count) && count >= 0)) {
        throw new RangeError(
          `repeat: counts must be whole numbers of at least 0, got ${JSON.stringify(counts)}`,
        );
      }
      if (typeof counts === "number") {
        const wide = x.shape.toSpliced(at + 1, 0, counts);
        const single = reshape(x, x.shape.toSpliced(at + 1, 0, 1));
        return reshape(broadcastTo(single, wide), x.shape.with(at, length * counts));
      }
      if (counts.length !== length) {
        throw new RangeError(
          `repeat: expected one count, or ${length} for axis ${at} of ${format(x.shape)}, got ${counts.length}`,
        );
      }
      const sources = counts.flatMap((count, i) => Array<number>(count).fill(i));
      return gather(x, sources, at);
    },
    1,
  );

/**
 * `x` with its elements moved `shifts` places on along `axes` (0 unless given), those that leave
 * the end coming in at the beginning; backwards for negative shifts.
 *
 * @throws unless there is a whole number for each axis
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([1, 2, 3, 4]).roll(1).toArray(); // => [4, 1, 2, 3]
 * tensor([[1, 2], [3, 4]]).roll([1, 1], [0, 1]).toArray(); // => [[4, 3], [2, 1]]
 * ```
 */
export const roll: Op<
  (x: Tensor, shifts: number | readonly number[], axes?: number | readonly number[]) => Tensor
> = op(
  {
    name: "roll",
    composite: true,
    samples: [
      { label: "1 row", inputs: [{ shape: [3, 2] }], call: ([x]) => roll(x!, 1) },
      { label: "both axes", inputs: [{ shape: [3, 4] }], call: ([x]) => roll(x!, [-1, 6], [0, 1]) },
    ],
  },
  (x: Tensor, shifts: number | readonly number[], axes: number | readonly number[] = 0) => {
    const [by, along] = [[shifts].flat(), [axes].flat()];
    if (by.length !== along.length || !by.every(Number.isInteger)) {
      throw new RangeError(
        `roll: expected a whole number for each axis of ${format(along)}, got ${format(by)}`,
      );
    }
    return by.reduce((rolled: Tensor, shift, i) => {
      const at = normalizeAxis(along[i]!, x.rank, "roll");
      const length = x.shape[at]!;
      const start = length === 0 ? 0 : ((-shift % length) + length) % length;
      if (start === 0) return rolled;
      const before = Array<null>(at).fill(null);
      return concat(
        [slice(rolled, [...before, [start]]), slice(rolled, [...before, [0, start]])],
        at,
      );
    }, x);
  },
  1,
);

/**
 * The diagonal of a matrix, or the matrix that has a vector on its diagonal: the main one, or the
 * one `offset` columns to the right of it, as in NumPy.
 *
 * @throws for other ranks, or an offset that is not a whole number
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([[1, 2], [3, 4]]).diag().toArray(); // => [1, 4]
 * tensor([5]).diag(1).toArray(); // => [[0, 5], [0, 0]]
 * ```
 */
export const diag: Op<(x: Tensor, offset?: number) => Tensor> = op(
  {
    name: "diag",
    composite: true,
    samples: [
      { label: "of [3,4]", inputs: [{ shape: [3, 4] }], call: ([x]) => diag(x!) },
      { label: "below that of [4,2]", inputs: [{ shape: [4, 2] }], call: ([x]) => diag(x!, -2) },
      { label: "from [3], above", inputs: [{ shape: [3] }], call: ([x]) => diag(x!, 1) },
    ],
  },
  (x: Tensor, offset = 0) => {
    if ((x.rank !== 1 && x.rank !== 2) || !Number.isInteger(offset)) {
      throw new RangeError(
        `diag: expected a vector or a matrix and a whole offset, got ${format(x.shape)} and ${offset}`,
      );
    }
    const [right, down] = [Math.max(0, offset), Math.max(0, -offset)];
    if (x.rank === 1) {
      // Rows one longer than the matrix is wide, read as if they were not.
      const n = x.size;
      const rows = pad(reshape(x, [n, 1]), [
        [0, 0],
        [0, n],
      ]);
      const square = reshape(slice(reshape(rows, [-1]), [[0, n * n]]), [n, n]);
      return pad(square, [
        [down, right],
        [right, down],
      ]);
    }
    const [m, n] = x.shape as [number, number];
    const length = Math.max(0, Math.min(m - down, n - right));
    const first = down * n + right;
    const flat = reshape(x, [-1]);
    return slice(flat, [
      length === 0 ? [0, 0] : [first, first + (length - 1) * (n + 1) + 1, n + 1],
    ]);
  },
  1,
);
