import type { Backend } from "../tensor/backend.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import { broadcastShapes, format, type Shape, sizeOf } from "../tensor/shape.ts";
import { allocate, giveOwner, type Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { type Contribution, type Op, type OpDeclaration, op } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import { reshape } from "./shape.ts";
import { broadcastStrides, planes } from "./strided.ts";

/** Which operands are read transposed in their last two axes. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

interface Product {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /**
   * The batch shape of the result. Where it has a 1 or lacks an axis that the operands' batches
   * have, products are added up there: so the gradient of a broadcast operand is one accumulating
   * product, never an array larger than the operand.
   */
  readonly batch: Shape;
}

const batchOf = (x: Tensor): Shape => x.shape.slice(0, -2);
const rowsOf = (x: Tensor): number => x.shape[x.rank - 2]!;
const columnsOf = (x: Tensor): number => x.shape[x.rank - 1]!;

/** `y (+)= op(A) op(B)`, batch by batch. */
function multiply(
  backend: Backend,
  a: Tensor,
  b: Tensor,
  y: Tensor,
  { transposeA, transposeB, batch }: Product,
  accumulate: boolean,
): void {
  const { matmul: kernel, fill } = kernelsOf(backend, y);
  const bytes = bytesOf[y.dtype];
  const m = rowsOf(y);
  const n = columnsOf(y);
  const k = transposeA ? rowsOf(a) : columnsOf(a);
  const lda = columnsOf(a);
  const ldb = columnsOf(b);
  const product = (rows: number, depth: number, x: number, w: number, to: number, add: boolean) =>
    kernel(rows, n, depth, x, lda, +transposeA, w, ldb, +transposeB, to, n, +add);

  const aBatch = sizeOf(batchOf(a));
  const bBatch = sizeOf(batchOf(b));
  const yBatch = sizeOf(batch);
  if (aBatch === 1 && bBatch === 1 && yBatch === 1) {
    return product(m, k, a.pointer, b.pointer, y.pointer, accumulate);
  }
  // Rows of a batch under one matrix are the rows of one taller matrix.
  if (!transposeA && bBatch === 1 && aBatch === yBatch) {
    return product(aBatch * m, k, a.pointer, b.pointer, y.pointer, accumulate);
  }
  // A sum over a batch of A' B is one product over the joined depth.
  if (transposeA && !transposeB && yBatch === 1 && aBatch === bBatch) {
    return product(m, aBatch * k, a.pointer, b.pointer, y.pointer, accumulate);
  }
  const all = broadcastShapes(batchOf(a), batchOf(b), "matmul");
  const adds = sizeOf(all) !== yBatch;
  if (adds && !accumulate) fill(y.size, 0, y.pointer);
  const strides = [batchOf(a), batchOf(b), batch].map((shape) => broadcastStrides(shape, all));
  const { rows, cols, row, col, offsets } = planes(all, strides);
  for (let plane = 0; plane < offsets[0]!.length; plane++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < cols; j++) {
        const at = (operand: number) =>
          offsets[operand]![plane]! + i * row[operand]! + j * col[operand]!;
        product(
          m,
          k,
          a.pointer + at(0) * rowsOf(a) * columnsOf(a) * bytes,
          b.pointer + at(1) * rowsOf(b) * columnsOf(b) * bytes,
          y.pointer + at(2) * m * n * bytes,
          adds || accumulate,
        );
      }
    }
  }
}

const matmulDeclaration: OpDeclaration<Product> = {
  name: "matmul",
  inputs: ["a", "b"],
  broadcasts: "leading",
  shape([a, b], { transposeA, transposeB, batch }) {
    const inner = transposeA ? rowsOf(a!) : columnsOf(a!);
    const other = transposeB ? columnsOf(b!) : rowsOf(b!);
    if (inner !== other) {
      const shown = (x: Tensor, transposed: boolean) =>
        `${format(x.shape)}${transposed ? " transposed" : ""}`;
      throw new RangeError(
        `matmul: inner dimensions must agree, got ${shown(a!, transposeA)} and ${shown(b!, transposeB)}; transpose one operand?`,
      );
    }
    return [
      ...batch,
      transposeA ? columnsOf(a!) : rowsOf(a!),
      transposeB ? rowsOf(b!) : columnsOf(b!),
    ];
  },
  forward(backend, [a, b], y, product) {
    multiply(backend, a!, b!, y, product, false);
  },
  residuals: { inputs: [0, 1], output: false },
  vjp: [
    (g, { inputs: [a, b], attributes }) => {
      const [left, right, product] = gradientOfA(g, a!, b!, attributes);
      return apply(matmulDeclaration, [left, right], product);
    },
    (g, { inputs: [a, b], attributes }) => {
      const [left, right, product] = gradientOfB(g, a!, b!, attributes);
      return apply(matmulDeclaration, [left, right], product);
    },
  ],
  accumulate: [
    (g, { inputs: [a, b], attributes }, into) => {
      const [left, right, product] = gradientOfA(g, a!, b!, attributes);
      multiply(into.block.backend, left, right, into, product, true);
    },
    (g, { inputs: [a, b], attributes }, into) => {
      const [left, right, product] = gradientOfB(g, a!, b!, attributes);
      multiply(into.block.backend, left, right, into, product, true);
    },
  ],
  accumulateAll: [
    undefined,
    (contributions, into) => {
      for (const [left, right, product] of joined(contributions)) {
        multiply(into.block.backend, left, right, into, product, true);
      }
    },
  ],
  jvp([da, db], { inputs: [a, b], attributes }) {
    const byA = da && apply(matmulDeclaration, [da, b!], attributes);
    const byB = db && apply(matmulDeclaration, [a!, db], attributes);
    return byA && byB ? byA.add(byB) : (byA ?? byB)!;
  },
  samples: [
    ...[false, true].flatMap((transposeA) =>
      [false, true].map((transposeB) => ({
        label: `[2,3] and [3,4], transposed ${transposeA}, ${transposeB}`,
        inputs: [{ shape: transposeA ? [3, 2] : [2, 3] }, { shape: transposeB ? [4, 3] : [3, 4] }],
        call: ([a, b]: readonly Tensor[]) => matmul(a!, b!, { transposeA, transposeB }),
      })),
    ),
    ...(
      [
        [
          [2, 2, 3],
          [3, 2],
        ],
        [
          [2, 3],
          [4, 3, 2],
        ],
        [
          [2, 1, 2, 3],
          [3, 3, 2],
        ],
        [[3], [3, 2]],
        [[2, 3], [3]],
        [[3], [3]],
        [
          [2, 0],
          [0, 3],
        ],
      ] satisfies [Shape, Shape][]
    ).map(([a, b]) => ({
      label: `[${a}] and [${b}]`,
      inputs: [{ shape: a }, { shape: b }],
      call: ([x, y]: readonly Tensor[]) => matmul(x!, y!),
    })),
  ],
};

type Factors = [left: Tensor, right: Tensor, product: Product];

/** So many rows make a product deep enough by themselves. */
const manyRows = 64;

/**
 * The products whose sum is the gradient of a shared `B`: the small ones, `A_t' g_t`, as one over
 * all rows of all `t`.
 */
function joined(contributions: readonly Contribution<Product>[]): Factors[] {
  const factors: Factors[] = [];
  const small: Contribution<Product>[] = [];
  for (const contribution of contributions) {
    const { g, application } = contribution;
    const [a, b] = application.inputs as [Tensor, Tensor];
    const { transposeA, transposeB } = application.attributes;
    const isSmall =
      !transposeA && !transposeB && b.rank === 2 && a.rank === 2 && a.shape[0]! < manyRows;
    if (isSmall) small.push(contribution);
    else factors.push(gradientOfB(g, a, b, application.attributes));
  }
  if (small.length > 0) {
    const left = below(small.map(({ application }) => application.inputs[0]!));
    const right = below(small.map(({ g }) => g));
    factors.push([left, right, { transposeA: true, transposeB: false, batch: [] }]);
  }
  return factors;
}

/** Matrices below each other. */
function below(matrices: readonly Tensor[]): Tensor {
  const [first] = matrices as [Tensor];
  if (matrices.length === 1) return first;
  const rows = matrices.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const y = allocate(first.block.backend, [rows, first.shape[1]!], first.dtype);
  const { uint8 } = first.block.backend.memory.views;
  let to = y.pointer;
  for (const x of matrices) {
    const bytes = x.size * bytesOf[x.dtype];
    uint8.copyWithin(to, x.pointer, x.pointer + bytes);
    to += bytes;
  }
  return giveOwner(y);
}

/** `g op(B)'`, or its transpose where `A` is stored transposed. */
function gradientOfA(
  g: Tensor,
  a: Tensor,
  b: Tensor,
  { transposeA, transposeB }: Product,
): Factors {
  const batch = batchOf(a);
  return transposeA
    ? [b, g, { transposeA: transposeB, transposeB: true, batch }]
    : [g, b, { transposeA: false, transposeB: !transposeB, batch }];
}

/** `op(A)' g`, or its transpose where `B` is stored transposed. */
function gradientOfB(
  g: Tensor,
  a: Tensor,
  b: Tensor,
  { transposeA, transposeB }: Product,
): Factors {
  const batch = batchOf(b);
  return transposeB
    ? [g, a, { transposeA: true, transposeB: transposeA, batch }]
    : [a, g, { transposeA: !transposeA, transposeB: false, batch }];
}

/**
 * Matrix product over the last two axes; leading axes are a batch and broadcast. A vector on the
 * left is a row, on the right a column, and its axis is dropped from the result.
 *
 * @throws when an operand is a scalar, or the inner dimensions or the batches do not agree
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@chronograd/autodiff";
 *
 * const a = tensor([[1, 2], [3, 4]]);
 * a.matmul(tensor([1, 10])).toArray(); // => [21, 43]
 * a.matmul(a, { transposeB: true }).toArray(); // => [[5, 11], [11, 25]]
 * // A batch of 5 matrices times one matrix; batches broadcast as elements do.
 * ones([5, 2, 3]).matmul(ones([3, 4])).shape; // => [5, 2, 4]
 * ones([7, 1, 2, 3]).matmul(ones([5, 3, 4])).shape; // => [7, 5, 2, 4]
 * ```
 */
export const matmul: Op<(a: Tensor, b: Tensor, options?: MatmulOptions) => Tensor> = op(
  matmulDeclaration,
  (a: Tensor, b: Tensor, options?: MatmulOptions) => {
    if (options !== undefined) checkOptions("matmul", options, ["transposeA", "transposeB"]);
    const { transposeA = false, transposeB = false } = options ?? {};
    if (a.rank === 0 || b.rank === 0) {
      throw new RangeError(
        `matmul: expected operands of at least one axis, got ${format(a.shape)} and ${format(b.shape)}; use mul for scalars`,
      );
    }
    const left = a.rank === 1 ? reshape(a, [1, a.size]) : a;
    const right = b.rank === 1 ? reshape(b, [b.size, 1]) : b;
    const batch = broadcastShapes(batchOf(left), batchOf(right), "matmul: batch");
    const y = apply(matmulDeclaration, [left, right], {
      transposeA: transposeA && a.rank > 1,
      transposeB: transposeB && b.rank > 1,
      batch,
    } satisfies Product);
    if (a.rank > 1 && b.rank > 1) return y;
    const rest = y.shape.slice(batch.length);
    return reshape(y, [
      ...batch,
      ...(a.rank > 1 ? [rest[0]!] : []),
      ...(b.rank > 1 ? [rest[1]!] : []),
    ]);
  },
  2,
);
