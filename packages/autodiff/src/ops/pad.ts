import { bytesOf, checkInt32 } from "../tensor/dtype.ts";
import { checkShape, format, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { type Op, type OpDeclaration, op } from "./declare.ts";
import { arithmeticOf } from "./kernels.ts";
import { slice } from "./slice.ts";
import { copyStrided } from "./strided.ts";

interface Padding {
  readonly widths: readonly (readonly [number, number])[];
  readonly value: number;
}

const padDeclaration: OpDeclaration<Padding> = {
  name: "pad",
  inputs: ["x"],
  accepts: "any",
  shape: ([x], { widths }) =>
    x!.shape.map((length, axis) => length + widths[axis]![0] + widths[axis]![1]),
  forward(backend, [x], y, { widths, value }) {
    arithmeticOf(backend, y).fill(y.size, value, y.pointer);
    const strides = stridesOf(y.shape);
    let start = 0;
    widths.forEach(([before], axis) => {
      start += before * strides[axis]!;
    });
    const to = y.pointer + start * bytesOf[y.dtype];
    copyStrided(backend, y.dtype, x!.shape, x!.pointer, stridesOf(x!.shape), to, strides);
  },
  residuals: { inputs: [], output: false },
  vjp: [
    (g, { inputs: [x], attributes: { widths } }) =>
      slice(
        g,
        widths.map(([before], axis) => [before, before + x!.shape[axis]!]),
      ),
  ],
  jvp: ([dx], { attributes }) => apply(padDeclaration, [dx!], { ...attributes, value: 0 }),
  samples: [
    { label: "[3] by 1 and 2", inputs: [{ shape: [3] }], call: ([x]) => pad(x!, [[1, 2]]) },
    {
      label: "[2,2] with 7",
      inputs: [{ shape: [2, 2] }],
      call: ([x]) =>
        pad(
          x!,
          [
            [0, 1],
            [2, 0],
          ],
          7,
        ),
    },
  ],
};

/**
 * `x` with `widths[i] = [before, after]` elements of `value` (0 unless given) added along axis `i`.
 *
 * @throws unless there is a pair of whole numbers of at least 0 for every axis
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([1, 2]).pad([[1, 2]]).toArray(); // => [0, 1, 2, 0, 0]
 * tensor([[1, 2]]).pad([[0, 1], [1, 0]], 7).toArray(); // => [[7, 1, 2], [7, 7, 7]]
 * ```
 */
export const pad: Op<
  (x: Tensor, widths: readonly (readonly [number, number])[], value?: number) => Tensor
> = op(
  padDeclaration,
  (x: Tensor, widths: readonly (readonly [number, number])[], value = 0) => {
    const arePairs = Array.isArray(widths) && widths.every((pair) => pair?.length === 2);
    if (!arePairs || widths.length !== x.rank) {
      throw new RangeError(
        `pad: expected ${x.rank} pairs of widths for shape ${format(x.shape)}, got ${JSON.stringify(widths)}`,
      );
    }
    for (const pair of widths) checkShape(pair, "pad");
    if (typeof value !== "number") {
      throw new TypeError(`pad: value must be a number, got ${String(value)}`);
    }
    if (x.dtype === "int32") checkInt32([value], "pad: value");
    return apply(padDeclaration, [x], { widths, value });
  },
  1,
);
