import { checkOptions } from "../tensor/options.ts";
import { normalizeAxis, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { type Op, type OpDeclaration, op } from "./declare.ts";
import { concat, split } from "./join.ts";
import { arithmeticOf } from "./kernels.ts";
import { flip } from "./slice.ts";

/** From which end a scan runs. */
export interface FindNonFiniteOptions {
  readonly reverse?: boolean;
}

/** Running results along an axis. */
export type ScanOp = Op<(x: Tensor, axis?: number, options?: FindNonFiniteOptions) => Tensor>;

const cumsumDeclaration: OpDeclaration<{ axis: number; reverse: boolean }> = {
  name: "cumsum",
  inputs: ["x"],
  accepts: "any",
  shape: ([x]) => x!.shape,
  forward(backend, [x], y, { axis, reverse }) {
    const outer = sizeOf(x!.shape.slice(0, axis));
    const inner = sizeOf(x!.shape.slice(axis + 1));
    const { cumsum: kernel } = arithmeticOf(backend, y);
    kernel(outer, x!.shape[axis]!, inner, reverse ? 1 : 0, x!.pointer, y.pointer);
  },
  residuals: { inputs: [], output: false },
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
 * Running sums along an axis (0 unless given), from the far end when `reverse`; those of int32 wrap
 * at 2^31.
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
export const cumsum: ScanOp = op(
  cumsumDeclaration,
  (x: Tensor, axis = 0, options?: FindNonFiniteOptions) => {
    checkOptions("cumsum", options, ["reverse"]);
    const { reverse = false } = options ?? {};
    return apply(cumsumDeclaration, [x], { axis: normalizeAxis(axis, x.rank, "cumsum"), reverse });
  },
  1,
);

/**
 * Running products along an axis (0 unless given), from the far end when `reverse`; each is the one
 * before it times an element, rounded, and the gradient is right where elements are 0.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * tensor([1, 2, 3]).cumprod().toArray(); // => [1, 2, 6]
 * grad((x) => x.cumprod().sum())(tensor([2, 0, 3])).toArray(); // => [1, 8, 0]
 * ```
 */
export const cumprod: ScanOp = op(
  {
    name: "cumprod",
    composite: true,
    samples: [
      { label: "[5]", inputs: [{ shape: [5] }], call: ([x]) => cumprod(x!) },
      {
        label: "axis 1, reversed",
        inputs: [{ shape: [2, 3, 2] }],
        call: ([x]) => cumprod(x!, 1, { reverse: true }),
      },
    ],
  },
  (x: Tensor, axis = 0, options?: FindNonFiniteOptions) => {
    checkOptions("cumprod", options, ["reverse"]);
    const at = normalizeAxis(axis, x.rank, "cumprod");
    if (options?.reverse === true) return flip(cumprod(flip(x, at), at), at);
    const length = x.shape[at]!;
    if (length < 2) return x;
    const [first, ...others] = split(x, length, at);
    const products = [first!];
    for (const factor of others) products.push(products.at(-1)!.mul(factor));
    return concat(products, at);
  },
  1,
);
