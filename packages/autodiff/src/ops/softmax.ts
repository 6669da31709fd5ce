import type { RowsName } from "../kernels/rows.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { alongLast } from "./alongLast.ts";
import { apply } from "./apply.ts";
import { type Op, type OpDeclaration, op } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";

/** A normalisation along axes, the last unless given; several count as one. */
export type NormalizeOp = Op<(x: Tensor, axes?: number | readonly number[]) => Tensor>;

interface RowsDeclaration {
  readonly name: RowsName;
  readonly vjp: (g: Tensor, y: Tensor) => Tensor;
  readonly jvp: (dx: Tensor, y: Tensor) => Tensor;
}

function normalization({ name, vjp, jvp }: RowsDeclaration): NormalizeOp {
  const declaration: OpDeclaration = {
    name,
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    forward(backend, [x], y) {
      const columns = x!.shape[x!.rank - 1]!;
      if (y.size > 0) kernelsOf(backend, y)[name](y.size / columns, columns, x!.pointer, y.pointer);
    },
    residuals: { inputs: [], output: true },
    vjp: [(g, { output }) => vjp(g, output)],
    jvp: ([dx], { output }) => jvp(dx!, output),
    samples: [
      { label: "[3]", inputs: [{ shape: [3] }], call: ([x]) => normalize(x!) },
      { label: "[2,3]", inputs: [{ shape: [2, 3] }], call: ([x]) => normalize(x!) },
      { label: "axis 0", inputs: [{ shape: [3, 2] }], call: ([x]) => normalize(x!, 0) },
      { label: "axis 1", inputs: [{ shape: [2, 3, 2] }], call: ([x]) => normalize(x!, 1) },
      { label: "axes 0, 2", inputs: [{ shape: [2, 3, 2] }], call: ([x]) => normalize(x!, [0, -1]) },
    ],
  };
  const normalize: NormalizeOp = op(
    declaration,
    (x: Tensor, axes: number | readonly number[] = -1) =>
      alongLast(x, axes, name, (rows) => apply(declaration, [rows], undefined)),
    1,
  );
  return normalize;
}

/**
 * `exp(x) / sum(exp(x))` along axes (the last unless given), shifted so that nothing overflows.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([1000, 1000]).softmax().toArray(); // => [0.5, 0.5]
 * tensor([[1, 5], [1, 5]]).softmax(0).slice([0]).toArray(); // => [0.5, 0.5]
 * ```
 */
export const softmax: NormalizeOp = normalization({
  name: "softmax",
  vjp: (g, y) => y.mul(g.sub(g.mul(y).sum(-1, { keepDims: true }))),
  jvp: (dx, y) => y.mul(dx.sub(dx.mul(y).sum(-1, { keepDims: true }))),
});

/**
 * `x - log(sum(exp(x)))` along axes (the last unless given), shifted so that nothing overflows.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([0, 1000]).logSoftmax().toArray(); // => [-1000, 0]
 * ```
 */
export const logSoftmax: NormalizeOp = normalization({
  name: "logSoftmax",
  vjp: (g, y) => g.sub(y.exp().mul(g.sum(-1, { keepDims: true }))),
  jvp: (dx, y) => dx.sub(dx.mul(y.exp()).sum(-1, { keepDims: true })),
});
