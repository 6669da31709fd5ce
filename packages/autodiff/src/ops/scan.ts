import { normalizeAxis, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { type Op, type OpDeclaration, op } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";

const cumsumDeclaration: OpDeclaration<{ axis: number; reverse: boolean }> = {
  name: "cumsum",
  inputs: ["x"],
  shape: ([x]) => x!.shape,
  forward(backend, [x], y, { axis, reverse }) {
    const outer = sizeOf(x!.shape.slice(0, axis));
    const inner = sizeOf(x!.shape.slice(axis + 1));
    const { cumsum: kernel } = kernelsOf(backend, y);
    kernel(outer, x!.shape[axis]!, inner, reverse ? 1 : 0, x!.pointer, y.pointer);
  },
  keeps: { inputs: [], output: false },
  vjp: [
    (g, { attributes: { axis, reverse } }) =>
      apply(cumsumDeclaration, [g], { axis, reverse: !reverse }),
  ],
  jvp: "linear",
  samples: [
    { label: "[4]", inputs: [{ shape: [4] }], call: ([x]) => cumsum(x!) },
    {
      label: "axis 1, reversed",
      inputs: [{ shape: [2, 3, 2] }],
      call: ([x]) => cumsum(x!, 1, { reverse: true }),
    },
  ],
};

/**
 * Running sums along an axis (0 unless given), from the far end when `reverse`.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([1, 2, 3]);
 * x.cumsum().toArray(); // => [1, 3, 6]
 * x.cumsum(0, { reverse: true }).toArray(); // => [6, 5, 3]
 * ```
 */
export const cumsum: Op<(x: Tensor, axis?: number, options?: { reverse?: boolean }) => Tensor> = op(
  cumsumDeclaration,
  (x: Tensor, axis = 0, { reverse = false } = {}) =>
    apply(cumsumDeclaration, [x], { axis: normalizeAxis(axis, x.rank, "cumsum"), reverse }),
  1,
);
