import { bytesOf } from "../tensor/dtype.ts";
import { format, normalizeAxis, sameShape, stridesOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import {
  type AsMethod,
  describe,
  type FunctionOp,
  type NoMethod,
  type Op,
  type OpDeclaration,
  op,
} from "./declare.ts";
import { expandDims } from "./shape.ts";
import { slice } from "./slice.ts";
import { copyStrided } from "./strided.ts";

/** Where each part begins along the axis, and where the last one ends. */
interface Joint {
  readonly axis: number;
  readonly starts: readonly number[];
}

/** The first of a list of tensors, or a thrown sentence. */
function firstOf(tensors: readonly Tensor[], name: string): Tensor {
  const isList = Array.isArray(tensors) && tensors.every((x) => x instanceof Tensor);
  if (isList && tensors.length > 0) return tensors[0]!;
  const got = isList ? "an empty one" : describe(tensors);
  throw new TypeError(`${name}: expected an array of at least one tensor, got ${got}`);
}

const concatDeclaration: OpDeclaration<Joint> & NoMethod = {
  name: "concat",
  method: false,
  inputs: ["tensor"],
  accepts: "any",
  shape(inputs, { axis, starts }) {
    const first = inputs[0]!.shape;
    for (const { shape } of inputs) {
      if (shape.length !== first.length || shape.some((n, i) => i !== axis && n !== first[i])) {
        throw new RangeError(
          `concat: shapes must agree except along axis ${axis}, got ${inputs.map((x) => format(x.shape)).join(" and ")}`,
        );
      }
    }
    return first.with(axis, starts.at(-1)!);
  },
  forward(backend, inputs, y, { axis, starts }) {
    const strides = stridesOf(y.shape);
    for (const [i, x] of inputs.entries()) {
      const to = y.pointer + starts[i]! * strides[axis]! * bytesOf[y.dtype];
      copyStrided(backend, y.dtype, x.shape, x.pointer, stridesOf(x.shape), to, strides);
    }
  },
  residuals: { inputs: [], output: false },
  vjp(g, { attributes: { axis, starts } }, input) {
    const range = [starts[input]!, starts[input + 1]!] as const;
    return g.slice([...Array<null>(axis).fill(null), range]);
  },
  jvp: "linear",
  samples: [
    {
      label: "[2,3] and [1,3]",
      inputs: [{ shape: [2, 3] }, { shape: [1, 3] }],
      call: (xs) => concat(xs),
    },
    {
      label: "along the last axis",
      inputs: [{ shape: [2, 3] }, { shape: [2, 1] }, { shape: [2, 2] }],
      call: (xs) => concat(xs, -1),
    },
  ],
};

/**
 * Tensors joined along an axis (0 unless given).
 *
 * @throws when the list is empty or the shapes differ elsewhere
 *
 * @example
 * ```ts
 * import { concat, tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 2]]);
 * concat([x, tensor([[3, 4], [5, 6]])]).toArray(); // => [[1, 2], [3, 4], [5, 6]]
 * concat([x, tensor([[3]])], -1).toArray(); // => [[1, 2, 3]]
 * ```
 */
export const concat: FunctionOp<(tensors: readonly Tensor[], axis?: number) => Tensor> = op(
  concatDeclaration,
  (tensors: readonly Tensor[], axis = 0) => {
    const at = normalizeAxis(axis, firstOf(tensors, "concat").rank, "concat");
    const starts = [0];
    for (const { shape } of tensors) starts.push(starts.at(-1)! + (shape[at] ?? 0));
    return apply(concatDeclaration, tensors, { axis: at, starts } satisfies Joint);
  },
);

/**
 * Tensors of one shape side by side along a new axis (0 unless given).
 *
 * @throws when the list is empty or the shapes differ
 *
 * @example
 * ```ts
 * import { stack, tensor } from "@chronograd/autodiff";
 *
 * stack([tensor([1, 2]), tensor([3, 4])]).toArray(); // => [[1, 2], [3, 4]]
 * stack([tensor([1, 2]), tensor([3, 4])], 1).toArray(); // => [[1, 3], [2, 4]]
 * ```
 */
export const stack: FunctionOp<(tensors: readonly Tensor[], axis?: number) => Tensor> = op(
  {
    name: "stack",
    composite: true,
    method: false,
    samples: [
      { label: "[3] twice", inputs: [{ shape: [3] }, { shape: [3] }], call: (xs) => stack(xs) },
      {
        label: "along the last axis",
        inputs: [{ shape: [2, 3] }, { shape: [2, 3] }],
        call: (xs) => stack(xs, -1),
      },
    ],
  },
  (tensors: readonly Tensor[], axis = 0) => {
    const first = firstOf(tensors, "stack");
    const at = normalizeAxis(axis, first.rank + 1, "stack");
    for (const x of tensors) {
      if (!sameShape(x.shape, first.shape)) {
        throw new RangeError(
          `stack: shapes must be equal, got ${tensors.map((t) => format(t.shape)).join(" and ")}`,
        );
      }
    }
    return concat(
      tensors.map((x) => expandDims(x, at)),
      at,
    );
  },
);

/**
 * What `split` gives: a tuple where the number of parts is known to the compiler, else an array.
 */
export type Parts<N> = N extends readonly number[]
  ? { -readonly [Part in keyof N]: Tensor }
  : N extends number
    ? number extends N
      ? Tensor[]
      : Repeat<N>
    : Tensor[];

/** `N` tensors, up to as many as a tuple is worth. */
type Repeat<N extends number, Sofar extends Tensor[] = []> = Sofar["length"] extends N
  ? Sofar
  : Sofar["length"] extends 16
    ? Tensor[]
    : Repeat<N, [...Sofar, Tensor]>;

/**
 * A tensor cut along an axis (0 unless given) into parts of the lengths named, or into that many
 * equal parts.
 *
 * @throws when the lengths do not add up to the axis, or the axis does not divide evenly
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 2, 3, 4]]);
 * x.split(2, -1).map((part) => part.toArray()); // => [[[1, 2]], [[3, 4]]]
 * x.split([1, 3], -1).map((part) => part.shape); // => [[1, 1], [1, 3]]
 * ```
 */
export const split: Op<
  <const N extends number | readonly number[]>(x: Tensor, parts: N, axis?: number) => Parts<N>
> &
  // Written out: inference would lose the type parameter.
  AsMethod<<const N extends number | readonly number[]>(parts: N, axis?: number) => Parts<N>> = op(
  {
    name: "split",
    composite: true,
    samples: [
      {
        label: "[4,2] in two",
        inputs: [{ shape: [4, 2] }],
        call: ([x]) => split(x!, 2)[0],
      },
      {
        label: "columns 1 and 2",
        inputs: [{ shape: [2, 3] }],
        call: ([x]) => split(x!, [1, 2], -1)[1],
      },
    ],
  },
  <const N extends number | readonly number[]>(x: Tensor, parts: N, axis = 0): Parts<N> => {
    const at = normalizeAxis(axis, x.rank, "split");
    const length = x.shape[at]!;
    const isCount = typeof parts === "number";
    const fails = isCount && !(Number.isInteger(parts) && parts >= 1 && length % parts === 0);
    const lengths = isCount
      ? Array<number>(fails ? 0 : parts).fill(length / parts)
      : (parts as readonly number[]);
    const total = lengths.reduce((sum, n) => sum + n, 0);
    if (fails || total !== length || lengths.some((n) => !Number.isInteger(n) || n < 0)) {
      throw new RangeError(
        `split: axis ${axis} of ${format(x.shape)} has length ${length} and does not split into ${typeof parts === "number" ? `${parts} equal parts` : format(parts)}`,
      );
    }
    let start = 0;
    return lengths.map((n) => {
      const range = [start, start + n] as const;
      start += n;
      return slice(
        x,
        x.shape.map((_, i) => (i === at ? range : null)),
      );
    }) as Parts<N>;
  },
) as typeof split;
