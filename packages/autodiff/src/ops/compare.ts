import type { BinaryName } from "../kernels/elementwise.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { broadcasting } from "./broadcast.ts";
import { none, type Op, type OpDeclaration, type Operand, op } from "./declare.ts";

/**
 * A comparison of two broadcasting operands, floats or int32: 1 where it holds, 0 where not, in the
 * operands' dtype. There is no boolean dtype: such tensors are added up, averaged (int32 ones after
 * `cast`), and are conditions of `where`.
 */
export type CompareOp = Op<(a: Operand, b: Operand) => Tensor>;

function comparison(name: BinaryName): CompareOp {
  const noRule = none("piecewise constant: nothing flows through");
  const declaration: OpDeclaration = {
    ...broadcasting(name, (inputs) => apply(declaration, inputs, undefined)),
    residuals: { inputs: [], output: false },
    vjp: noRule,
    jvp: noRule,
  };
  return op(declaration, (a: Operand, b: Operand) => apply(declaration, [a, b], undefined));
}

/**
 * `a < b`.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([1, 2, 3]);
 * x.less(2).toArray(); // => [1, 0, 0]
 * x.less(2).sum().item(); // => 1
 * // The accuracy of a classifier.
 * const logits = tensor([[1, 5], [3, 2]]);
 * logits.argmax(1).equal(tensor(Int32Array.of(1, 1))).cast("float32").mean().item(); // => 0.5
 * ```
 */
export const less: CompareOp = comparison("less");
/** `a <= b`. */
export const lessEqual: CompareOp = comparison("lessEqual");
/** `a > b`. */
export const greater: CompareOp = comparison("greater");
/** `a >= b`. */
export const greaterEqual: CompareOp = comparison("greaterEqual");
/** `a == b`; NaN equals nothing. */
export const equal: CompareOp = comparison("equal");
/** `a != b`; NaN differs from everything. */
export const notEqual: CompareOp = comparison("notEqual");
