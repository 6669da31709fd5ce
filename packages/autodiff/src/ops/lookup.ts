import { bytesOf } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { none, type OpDeclaration } from "./declare.ts";
import { asIndices, checkRange, type Indices } from "./indices.ts";
import { arithmeticOf } from "./kernels.ts";
import { moveKernels } from "./strided.ts";

const noGradient = none("indices are integers: nothing flows through");

/** Inputs of an op on values and indices: the one carries the dtype, the other is int32. */
function valuesAndIndices(at: number) {
  return (inputs: readonly Tensor[], name: string): void => {
    const values = inputs.filter((_, i) => i !== at);
    for (const x of values) {
      if (x.dtype !== values[0]!.dtype) {
        throw new TypeError(
          `${name}: values must share a dtype, got ${values[0]!.dtype} and ${x.dtype}`,
        );
      }
    }
  };
}

/** Lengths before, along and after an axis. */
function around(shape: Shape, axis: number): [outer: number, length: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
}

/** Along which axis, and whether the indices are in range by construction. */
export interface Lookup {
  readonly axis: number;
  readonly trusted?: true;
}

/** Reads `x` at indices along an axis; its adjoint is `scatterDeclaration`. @internal */
export const gatherDeclaration: OpDeclaration<Lookup> = {
  name: "gather",
  inputs: ["x", "indices"],
  accepts: valuesAndIndices(1),
  shape([x, indices], { axis, trusted }) {
    if (trusted !== true) checkRange(indices!, x!.shape[axis]!, "gather");
    return x!.shape.toSpliced(axis, 1, ...indices!.shape);
  },
  forward(backend, [x, indices], y, { axis }) {
    const [outer, length, inner] = around(x!.shape, axis);
    const { gather: kernel } = moveKernels(backend, y.dtype);
    const bytes = bytesOf[y.dtype] * inner;
    for (let i = 0; i < outer; i++) {
      const from = x!.pointer + i * length * bytes;
      kernel(indices!.size, inner, from, indices!.pointer, y.pointer + i * indices!.size * bytes);
    }
  },
  residuals: { inputs: [1], output: false },
  vjp: [
    (g, { inputs: [x, indices], attributes }) =>
      apply(scatterDeclaration, [g, indices!], { ...attributes, shape: x!.shape }),
    noGradient,
  ],
  accumulate: [
    (g, { inputs: [, indices], attributes: { axis } }, into) => addRows(g, indices!, into, axis),
  ],
  jvp: ([dx], { inputs: [, indices], attributes }) =>
    apply(gatherDeclaration, [dx!, indices!], attributes),
  samples: [
    {
      label: "rows",
      inputs: [{ shape: [4, 3] }, { shape: [5], integers: [0, 4] }],
      call: ([x, i]) => x!.gather(i!),
    },
    {
      label: "columns, indices [2,2]",
      inputs: [{ shape: [2, 3] }, { shape: [2, 2], integers: [0, 3] }],
      call: ([x, i]) => x!.gather(i!, 1),
    },
    {
      label: "of a batch, along axis 2",
      inputs: [{ shape: [2, 3, 4] }, { shape: [2, 5], integers: [0, 4] }],
      call: ([x, i]) => x!.gather(i!, 2, { batchDims: 1 }),
    },
  ],
};

/** `into[..., indices[i], ...] += g[..., i, ...]` along an axis. */
function addRows(g: Tensor, indices: Tensor, into: Tensor, axis: number): void {
  const [outer, length, inner] = around(into.shape, axis);
  const { scatterAdd: kernel } = arithmeticOf(into.block.backend, into);
  const bytes = bytesOf[into.dtype] * inner;
  for (let i = 0; i < outer; i++) {
    const from = g.pointer + i * indices.size * bytes;
    kernel(indices.size, inner, from, indices.pointer, into.pointer + i * length * bytes);
  }
}

/** Zeros with `g` added at indices along an axis. @internal */
export const scatterDeclaration: OpDeclaration<Lookup & { readonly shape: Shape }> = {
  name: "scatter",
  inputs: ["g", "indices"],
  accepts: valuesAndIndices(1),
  shape([, indices], { axis, shape, trusted }) {
    if (trusted !== true) checkRange(indices!, shape[axis]!, "scatterAdd");
    return shape;
  },
  forward(backend, [g, indices], y, { axis }) {
    arithmeticOf(backend, y).fill(y.size, 0, y.pointer);
    addRows(g!, indices!, y, axis);
  },
  residuals: { inputs: [1], output: false },
  vjp: [
    (g, { inputs: [, indices], attributes: { axis, trusted } }) =>
      apply(gatherDeclaration, [g, indices!], { axis, ...(trusted && { trusted }) }),
    noGradient,
  ],
  jvp: ([dg], { inputs: [, indices], attributes }) =>
    apply(scatterDeclaration, [dg!, indices!], attributes),
  samples: [],
};

/**
 * Rows of `table` at indices from 0 up, none of which counts from the end: what an embedding looks
 * up.
 */
export function lookUp(table: Tensor, indices: Indices): Tensor {
  return apply(gatherDeclaration, [table, asIndices(indices, table, "gather")], { axis: 0 });
}

/** `gather` from the flattened `x`, at positions that are in range by construction. @internal */
export function gatherFlat(x: Tensor, positions: Tensor): Tensor {
  return apply(gatherDeclaration, [x.reshape([-1]), positions], { axis: 0, trusted: true });
}
