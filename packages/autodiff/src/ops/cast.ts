import type { CastKernels } from "../kernels/move.ts";
import { checkAlive } from "../tensor/checks.ts";
import { checkDType, type DType, isFloat } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { type Op, type OpDeclaration, op } from "./declare.ts";
import { moveKernels } from "./strided.ts";

const capital = { float32: "Float32", float64: "Float64", int32: "Int32" } as const;

const castDeclaration: OpDeclaration<DType> = {
  name: "cast",
  inputs: ["x"],
  accepts: "any",
  shape: ([x]) => x!.shape,
  dtype: (_inputs, dtype) => dtype,
  forward(backend, [x], y, dtype) {
    const name = `${x!.dtype}To${capital[dtype]}` as keyof CastKernels;
    backend.kernels.cast[name](y.size, x!.pointer, y.pointer);
  },
  residuals: { inputs: [], output: false },
  vjp: [(g, { inputs: [x] }) => cast(g, x!.dtype)],
  jvp: ([dx], { attributes }) => cast(dx!, attributes),
  samples: [
    {
      label: "to float64",
      inputs: [{ shape: [2, 3] }],
      call: ([x]) => cast(x!, "float64"),
    },
    {
      label: "to float64 and back",
      inputs: [{ shape: [2, 3] }],
      call: ([x]) => cast(cast(x!, "float64"), x!.dtype),
    },
  ],
};

/**
 * `x` with elements of another dtype. Conversion to int32 truncates towards zero; NaN becomes 0,
 * and what lies beyond the least or largest int32 becomes that. Nothing flows back through int32;
 * between the float dtypes gradients do.
 *
 * @throws for an unknown dtype
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([1.7, -1.7]);
 * x.cast("int32").toArray(); // => [1, -1]
 * x.cast("float64").dtype; // => "float64"
 * ```
 */
export const cast: Op<(x: Tensor, dtype: DType) => Tensor> = op(
  castDeclaration,
  (x: Tensor, dtype: DType) => {
    checkDType(dtype, "cast");
    if (dtype === x.dtype) {
      checkAlive(x, "cast");
      return x;
    }
    const flows = isFloat(dtype) && isFloat(x.dtype);
    return apply(castDeclaration, [flows ? x : x.detach()], dtype);
  },
  1,
);

const cloneDeclaration: OpDeclaration = {
  name: "clone",
  inputs: ["x"],
  accepts: "any",
  shape: ([x]) => x!.shape,
  forward(backend, [x], y) {
    const { copy } = moveKernels(backend, y.dtype);
    copy(1, y.size, x!.pointer, y.size, 1, y.pointer, y.size, 1);
  },
  outlives: true,
  residuals: { inputs: [], output: false },
  vjp: [(g) => g],
  jvp: "linear",
  samples: [{ label: "[3]", inputs: [{ shape: [3] }], call: ([x]) => clone(x!) }],
};

/**
 * A copy of the values, which outlives the window they come from; gradients flow through.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { liveView } from "@chronograd/autodiff/ndarray";
 *
 * const x = tensor([1, 2]);
 * const copy = x.clone();
 * liveView(x).set(0, 9);
 * [x.toArray(), copy.toArray()]; // => [[9, 2], [1, 2]]
 * ```
 */
export const clone: Op<(x: Tensor) => Tensor> = op(
  cloneDeclaration,
  (x: Tensor) => apply(cloneDeclaration, [x], undefined),
  1,
);
