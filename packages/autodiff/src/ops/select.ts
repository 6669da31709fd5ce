import { bytesOf, checkInt32, isFloat } from "../tensor/dtype.ts";
import { broadcastShapes } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { apply, checkAlike } from "./apply.ts";
import { cast } from "./cast.ts";
import { greater, less, notEqual } from "./compare.ts";
import { type Op, type OpDeclaration, type Operand, op } from "./declare.ts";
import { arithmeticOf } from "./kernels.ts";
import { broadcastStrides, planes } from "./strided.ts";
import { sumTo } from "./sumTo.ts";

const whereDeclaration: OpDeclaration = {
  name: "where",
  broadcasts: "all",
  accepts: "any",
  inputs: ["condition", "a", "b"],
  shape: ([condition, a, b]) =>
    broadcastShapes(condition!.shape, broadcastShapes(a!.shape, b!.shape, "where"), "where"),
  forward(backend, inputs, y) {
    if (y.size === 0) return;
    const { select } = arithmeticOf(backend, y);
    const bytes = bytesOf[y.dtype];
    const { rows, cols, row, col, offsets } = planes(
      y.shape,
      inputs.map((input) => broadcastStrides(input.shape, y.shape)),
    );
    for (let i = 0; i < offsets[0]!.length; i++) {
      const at = (k: number) => inputs[k]!.pointer + offsets[k]![i]! * bytes;
      const plane = y.pointer + i * rows * cols * bytes;
      select(
        rows,
        cols,
        at(0),
        row[0]!,
        col[0]!,
        at(1),
        row[1]!,
        col[1]!,
        at(2),
        row[2]!,
        col[2]!,
        plane,
      );
    }
  },
  residuals: { inputs: [0], output: false },
  vjp: [
    { none: "a condition is piecewise constant: nothing flows through" },
    (g, { inputs: [condition, a] }) => sumTo(where(condition!, g, 0), a!.shape),
    (g, { inputs: [condition, , b] }) => sumTo(where(condition!, 0, g), b!.shape),
  ],
  jvp: ([, da, db], { inputs: [condition], output }) => {
    const result = where(condition!, da ?? 0, db ?? 0);
    return result.broadcastTo(output.shape);
  },
  samples: [
    { label: "same shapes", shapes: [[4], [4], [4]] },
    { label: "condition stretched", shapes: [[3], [2, 3], [2, 3]] },
    { label: "values stretched", shapes: [[2, 3], [], [2, 1]] },
  ].map(({ label, shapes }) => ({
    label,
    inputs: shapes.map((shape) => ({ shape })),
    call: ([c, a, b]) => where(greater(c!, 0), a!, b!),
  })),
  kinks: [0],
};

/**
 * `a` where `condition` is not 0, `b` elsewhere; all three broadcast. The condition is float or
 * int32, as comparisons give. Numbers take the dtype of the tensor beside them; two numbers that of
 * a float condition, float32 beside an int32 one.
 *
 * @throws when the shapes do not broadcast or `a` and `b` differ in dtype
 *
 * @example
 * ```ts
 * import { grad, tensor, type Tensor, where } from "@chronograd/autodiff";
 *
 * const x = tensor([-1, 2, -3]);
 * where(x.less(0), 0, x).toArray(); // => [0, 2, 0]
 *
 * // The derivative of the branch that is not taken is multiplied by 0: keep it finite.
 * const logOrZero = (z: Tensor) => {
 *   const isPositive = z.greater(0);
 *   return where(isPositive, where(isPositive, z, 1).log(), 0).sum();
 * };
 * grad(logOrZero)(tensor([0, 2])).toArray(); // => [0, 0.5]
 * ```
 */
export const where: Op<(condition: Operand, a: Operand, b: Operand) => Tensor> = op(
  whereDeclaration,
  (condition: Operand, a: Operand, b: Operand) => {
    checkAlike(a, b, "where");
    const value = a instanceof Tensor ? a : b instanceof Tensor ? b : undefined;
    return apply(whereDeclaration, [asMask(condition, value), a, b], undefined);
  },
);

/**
 * The condition in the dtype of the values: what is not 0 must not become 0 when it is converted.
 */
function asMask(condition: Operand, value: Tensor | undefined): Operand {
  if (!(condition instanceof Tensor)) return condition;
  const { dtype } = condition;
  const wanted = value?.dtype ?? (isFloat(dtype) ? dtype : "float32");
  if (wanted === dtype) return condition;
  const keeps = dtype === "int32" || wanted === "float64";
  return cast(keeps ? condition : notEqual(condition, 0), wanted);
}

/**
 * `x` limited to `low` and `high` (either may be infinite); 1 flows back inside and at the limits,
 * 0 outside.
 *
 * @throws when `low` is above `high`
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * tensor([-3, 0.5, 9]).clip(-1, 1).toArray(); // => [-1, 0.5, 1]
 * grad((x) => x.clip(-1, 1).sum())(tensor([-3, 0, 1])).toArray(); // => [0, 1, 1]
 * ```
 */
export const clip: Op<(x: Tensor, low: number, high: number) => Tensor> = op(
  {
    name: "clip",
    composite: true,
    samples: [
      { label: "[5]", inputs: [{ shape: [5] }], call: ([x]) => clip(x!, -0.7, 0.9) },
      { label: "one side", inputs: [{ shape: [2, 3] }], call: ([x]) => clip(x!, -Infinity, 0.5) },
    ],
    kinks: [-0.7, 0.9, 0.5],
  },
  (x: Tensor, low: number, high: number) => {
    if (!(low <= high)) {
      throw new RangeError(`clip: low must not exceed high, got low ${low} and high ${high}`);
    }
    if (x.dtype === "int32") {
      checkInt32(
        [low, high].filter((limit) => Math.abs(limit) !== Infinity || low === high),
        "clip",
      );
    }
    const above = low === -Infinity ? x : where(less(x, low), low, x);
    return high === Infinity ? above : where(greater(x, high), high, above);
  },
  1,
);
