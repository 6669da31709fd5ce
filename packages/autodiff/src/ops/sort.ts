import { tensor } from "../tensor/create.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import { format, normalizeAxis, type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { alongLast } from "./alongLast.ts";
import { apply } from "./apply.ts";
import { cast } from "./cast.ts";
import { none, type Op, type OpDeclaration, op } from "./declare.ts";
import { checkRange, countedFromEnd, type Indices } from "./indices.ts";
import { kernelsOf } from "./kernels.ts";
import { gatherFlat } from "./lookup.ts";
import { slice } from "./slice.ts";

/** The positions, in the flattened tensor, of the elements that `indices` pick along an axis. */
function positionsAlong(indices: Tensor, shape: Shape, axis: number): Tensor {
  const inner = sizeOf(shape.slice(axis + 1));
  const lines = shape.with(axis, 1);
  const starts = Int32Array.from({ length: sizeOf(lines) }, (_, line) => {
    const before = Math.floor(line / inner);
    return before * shape[axis]! * inner + (line % inner);
  });
  const first = tensor(starts, { shape: lines, backend: indices.backend });
  return (inner === 1 ? indices : indices.mul(inner)).add(first);
}

/** `x` at positions along an axis that are in range by construction. */
function pick(x: Tensor, positions: Tensor, axis: number): Tensor {
  return gatherFlat(x, positionsAlong(positions, x.shape, axis));
}

/**
 * The elements of `x` that `indices` pick along an axis (the last unless given), each line of `x`
 * by its own: what puts `x` in the order of `argsort`. Indices below 0 count from the end, as in
 * NumPy.
 *
 * @param indices the shape of `x`, except the length of the axis
 * @throws when an index is out of range or not whole, or the shapes do not fit
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * x.takeAlongAxis([[2, 0], [-1, -1]]).toArray(); // => [[3, 1], [6, 6]]
 * ```
 */
export const takeAlongAxis: Op<(x: Tensor, indices: Indices, axis?: number) => Tensor> = op(
  {
    name: "takeAlongAxis",
    composite: true,
    samples: [
      {
        label: "the last",
        inputs: [{ shape: [2, 3] }, { shape: [2, 4], integers: [0, 3] }],
        call: ([x, i]) => takeAlongAxis(x!, i!),
      },
      {
        label: "axis 1, from the end",
        inputs: [{ shape: [2, 3, 2] }, { shape: [2, 2, 2], integers: [-3, 3] }],
        call: ([x, i]) => takeAlongAxis(x!, i!, 1),
      },
    ],
  },
  (x: Tensor, indices: Indices, axis = -1) => {
    const at = normalizeAxis(axis, x.rank, "takeAlongAxis");
    const length = x.shape[at]!;
    const whole = countedFromEnd(indices, x, length, "takeAlongAxis");
    if (whole.rank !== x.rank || !sameShape(whole.shape.with(at, length), x.shape)) {
      throw new RangeError(
        `takeAlongAxis: indices must have the shape of x ${format(x.shape)} but along axis ${at}, got ${format(whole.shape)}; broadcastTo it`,
      );
    }
    checkRange(whole, length, "takeAlongAxis");
    return pick(x, whole, at);
  },
  1,
);

const argsortDeclaration: OpDeclaration<boolean> = {
  name: "argsort",
  inputs: ["x"],
  shape: ([x]) => x!.shape,
  dtype: () => "int32",
  forward(backend, [x], y, descending) {
    if (y.size === 0) return;
    const cols = x!.shape.at(-1)!;
    const bytes = cols * bytesOf.int32;
    const scratch = backend.memory.allocate(bytes);
    const { argsort: kernel } = kernelsOf(backend, x!);
    kernel(x!.size / cols, cols, descending ? 1 : 0, x!.pointer, scratch, y.pointer);
    backend.memory.release(scratch, bytes);
  },
  residuals: { inputs: [], output: false },
  vjp: none("integer output: nothing flows through"),
  jvp: none("integer output: nothing flows through"),
  samples: [
    {
      label: "[2,4]",
      inputs: [{ shape: [2, 4] }],
      call: ([x]) => apply(argsortDeclaration, [x!], false),
    },
  ],
};

/** In which direction to sort. */
export interface SortOptions {
  /** From the largest down; false unless given. */
  readonly descending?: boolean;
}

/** An order along an axis, the last unless given. */
export type SortOp = Op<(x: Tensor, axis?: number, options?: SortOptions) => Tensor>;

/**
 * The int32 positions that sort `x` along an axis (the last unless given). Equal elements keep
 * their order; NaN counts as the largest of all, as in NumPy and PyTorch. Nothing flows back.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([3, 1, Number.NaN, 1]);
 * x.argsort().toArray(); // => [1, 3, 0, 2]
 * x.argsort(0, { descending: true }).toArray(); // => [2, 0, 1, 3]
 * ```
 */
export const argsort: SortOp = op(
  argsortDeclaration,
  (x: Tensor, axis = -1, options?: SortOptions) => {
    checkOptions("argsort", options, ["descending"]);
    // Every int32 is a float64.
    const values = x.dtype === "int32" ? cast(x, "float64") : x;
    const at = normalizeAxis(axis, x.rank, "argsort");
    return alongLast(values, at, "argsort", (rows) =>
      apply(argsortDeclaration, [rows], options?.descending ?? false),
    );
  },
  1,
);

/**
 * `x` sorted along an axis (the last unless given), in the order of `argsort`; gradients go back to
 * where elements came from.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * tensor([3, 1, 2]).sort().toArray(); // => [1, 2, 3]
 * const weights = tensor([1, 10, 100]);
 * grad((x) => x.sort().mul(weights).sum())(tensor([3, 1, 2])).toArray(); // => [100, 1, 10]
 * ```
 */
export const sort: SortOp = op(
  {
    name: "sort",
    composite: true,
    apart: true,
    samples: [
      { label: "[5]", inputs: [{ shape: [5] }], call: ([x]) => sort(x!) },
      {
        label: "axis 0, descending",
        inputs: [{ shape: [4, 3] }],
        call: ([x]) => sort(x!, 0, { descending: true }),
      },
    ],
  },
  (x: Tensor, axis = -1, options?: SortOptions) => {
    checkOptions("sort", options, ["descending"]);
    const at = normalizeAxis(axis, x.rank, "sort");
    return pick(x, argsort(x, at, options), at);
  },
  1,
);

/** Which elements `topk` takes. */
export interface TopkOptions {
  /** The largest ones; true unless given. */
  readonly largest?: boolean;
}

/**
 * The `k` largest elements along an axis (the last unless given), from the largest down, and their
 * int32 positions; the smallest from the smallest up with `largest: false`. Of equal ones the
 * first; NaN counts as the largest, as for `argsort`.
 *
 * @throws when `k` is not a whole number from 0 to the length of the axis
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const [values, positions] = tensor([5, 9, 7]).topk(2);
 * [values.toArray(), positions.toArray()]; // => [[9, 7], [1, 2]]
 * ```
 */
export const topk: Op<
  (
    x: Tensor,
    k: number,
    axis?: number,
    options?: TopkOptions,
  ) => [values: Tensor, positions: Tensor]
> = op(
  {
    name: "topk",
    composite: true,
    apart: true,
    samples: [
      { label: "2 of 5", inputs: [{ shape: [5] }], call: ([x]) => topk(x!, 2)[0] },
      {
        label: "the smallest along axis 0",
        inputs: [{ shape: [4, 3] }],
        call: ([x]) => topk(x!, 2, 0, { largest: false })[0],
      },
    ],
  },
  (x: Tensor, k: number, axis = -1, options?: TopkOptions): [Tensor, Tensor] => {
    checkOptions("topk", options, ["largest"]);
    const at = normalizeAxis(axis, x.rank, "topk");
    if (!Number.isInteger(k) || k < 0 || k > x.shape[at]!) {
      throw new RangeError(
        `topk: k must be a whole number from 0 to ${x.shape[at]}, the length of axis ${at} of ${format(x.shape)}, got ${k}`,
      );
    }
    const order = argsort(x, at, { descending: options?.largest ?? true });
    const positions = slice(order, [...Array<null>(at).fill(null), [0, k]]);
    return [pick(x, positions, at), positions];
  },
  1,
);
