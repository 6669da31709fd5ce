import type { ArgReduceName } from "../kernels/contract.ts";
import { format, normalizeAxis, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { cast } from "./cast.ts";
import { type NoRule, none, type Op, type OpDeclaration, op } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import { reshape } from "./shape.ts";

/** The int32 position of an extreme element along an axis. */
export type ArgReduceOp = Op<(x: Tensor, axis?: number) => Tensor>;

function argReduction(name: ArgReduceName): ArgReduceOp {
  const integerOutput: NoRule = none("integer output: nothing flows through");
  const declaration: OpDeclaration<number> = {
    name,
    inputs: ["x"],
    shape([x], axis) {
      if (x!.shape[axis] !== 0) return x!.shape.toSpliced(axis, 1);
      throw new RangeError(
        `${name}: axis ${axis} of ${format(x!.shape)} is empty, and ${name} of nothing is not defined`,
      );
    },
    dtype: () => "int32",
    forward(backend, [x], y, axis) {
      const outer = sizeOf(x!.shape.slice(0, axis));
      const inner = sizeOf(x!.shape.slice(axis + 1));
      kernelsOf(backend, x!)[name](outer, x!.shape[axis]!, inner, x!.pointer, y.pointer);
    },
    residuals: { inputs: [], output: false },
    vjp: integerOutput,
    jvp: integerOutput,
    samples: [
      {
        label: "[2,3]",
        inputs: [{ shape: [2, 3] }],
        call: ([x]) => apply(declaration, [x!], 1),
      },
    ],
  };
  return op(
    declaration,
    (x: Tensor, axis?: number) => {
      // Every int32 is a float64.
      const values = x.dtype === "int32" ? cast(x, "float64") : x;
      return axis === undefined
        ? apply(declaration, [reshape(values, [-1])], 0)
        : apply(declaration, [values], normalizeAxis(axis, x.rank, name));
    },
    1,
  );
}

/**
 * The int32 position of the first largest element along an axis, or in the flattened tensor.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 7], [9, 2]]);
 * x.argmax(1).toArray(); // => [1, 0]
 * x.argmax().item(); // => 2
 * ```
 */
export const argmax: ArgReduceOp = argReduction("argmax");

/** The int32 position of the first smallest element along an axis, or in the flattened tensor. */
export const argmin: ArgReduceOp = argReduction("argmin");
