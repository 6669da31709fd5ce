import { type FloatDType, isFloat } from "../tensor/dtype.ts";
import { sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { offset, scale } from "./affine.ts";
import { apply } from "./apply.ts";
import { type BinaryOp, binary, simple } from "./binary.ts";
import { equal, greater, greaterEqual, less } from "./compare.ts";
import { type AccumulateRule, type Operand, op } from "./declare.ts";
import { square } from "./elementwise.ts";
import { kernelsOf } from "./kernels.ts";
import { where } from "./select.ts";
import { sumTo } from "./sumTo.ts";

function isFloatTensor(x: Operand): x is Tensor {
  return x instanceof Tensor && isFloat(x.dtype);
}

/**
 * Adds `g` to the cotangent of an operand that may have been broadcast: a bias's is the sum of the
 * rows.
 */
const addBroadcast: AccumulateRule<unknown> = (g, _application, into) => {
  const { add: kernel, addRows } = kernelsOf(into.block.backend, into);
  const lead = g.rank - into.rank;
  const isRow = lead > 0 && sameShape(g.shape.slice(lead), into.shape);
  if (isRow) return addRows(g.size / Math.max(1, into.size), into.size, g.pointer, into.pointer);
  const n = into.size;
  const { pointer } = sumTo(g, into.shape);
  kernel(1, n, into.pointer, n, 1, pointer, n, 1, into.pointer);
};

const addDeclaration = binary({
  name: "add",
  partials: [(d) => d, (d) => d],
  residuals: "",
  accumulate: addBroadcast,
});
/**
 * `a + b`; int32 wraps at 2^31, as in NumPy and PyTorch.
 *
 * @example
 * ```ts
 * import { add, tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * add(x, tensor([10, 20])).toArray(); // => [[11, 22], [13, 24]]
 * x.add(tensor([[10], [20]])).toArray(); // => [[11, 12], [23, 24]]
 * x.add(0.5).toArray(); // => [[1.5, 2.5], [3.5, 4.5]]
 * ```
 */
export const add: BinaryOp = op(addDeclaration, (a: Operand, b: Operand) => {
  if (typeof b === "number" && isFloatTensor(a)) return offset(a, b);
  if (typeof a === "number" && isFloatTensor(b)) return offset(b, a);
  return apply(addDeclaration, [a, b], undefined);
});

const subDeclaration = binary({ name: "sub", partials: [(d) => d, (d) => d.neg()], residuals: "" });
/** `a - b`; int32 wraps at 2^31. */
export const sub: BinaryOp = op(subDeclaration, (a: Operand, b: Operand) =>
  typeof b === "number" && isFloatTensor(a)
    ? offset(a, -b)
    : apply(subDeclaration, [a, b], undefined),
);

const mulDeclaration = binary({
  name: "mul",
  partials: [(d, _a, b) => d.mul(b), (d, a) => d.mul(a)],
  residuals: "ab",
});
/** `a b`, element by element; int32 wraps at 2^31. */
export const mul: BinaryOp = op(mulDeclaration, (a: Operand, b: Operand) => {
  if (typeof b === "number" && isFloatTensor(a)) return scale(a, b);
  if (typeof a === "number" && isFloatTensor(b)) return scale(b, a);
  return apply(mulDeclaration, [a, b], undefined);
});

/** `a / b` of floats; divide int32 after `cast(x, "float32")`, and round with `floor`. */
export const div: BinaryOp = simple(
  binary({
    name: "div",
    partials: [(d, _a, b) => d.div(b), (d, _a, b, y) => d.mul(y).div(b).neg()],
    residuals: "by",
    domains: [undefined, [0.4, 2]],
  }),
);

/** Below these `1/a` may overflow. */
const least = { float32: 2 ** -126, float64: 2 ** -1022 };

const powDeclaration = binary({
  name: "pow",
  partials: [
    // Masked before the power and before the logarithm, so that their own derivatives stay finite.
    (d, a, b) => {
      const isLost = greater(equal(b, 0), greaterEqual(a.abs(), least[a.dtype as FloatDType]));
      return d.mul(where(isLost, 1, a).pow(b.sub(1))).mul(b);
    },
    (d, a, b, y) => {
      const isLost = equal(a, 0).mul(greaterEqual(b, 0));
      return d.mul(y).mul(where(isLost, 1, a).log());
    },
  ],
  residuals: "aby",
  domains: [[0.3, 2], undefined],
});
/**
 * `a^b`, as IEEE 754 has it: `a^0` and `1^b` are 1, of NaN too. By `a` it is `b a^(b-1)`, taken as
 * 0 where `b` is; by `b` it is `a^b log a`, the logarithm taken as 0 where `a` is 0 and `b` is not
 * negative.
 *
 * @example
 * ```ts
 * import { pow, tensor } from "@chronograd/autodiff";
 *
 * tensor([1, 2, 3]).pow(2).toArray(); // => [1, 4, 9]
 * pow(2, tensor([1, 2, 3])).toArray(); // => [2, 4, 8]
 * ```
 */
export const pow: BinaryOp = op(powDeclaration, (a: Operand, b: Operand) =>
  b === 2 && isFloatTensor(a) ? square(a) : apply(powDeclaration, [a, b], undefined),
);

/** 1 where `a` wins, 1/2 at a tie, 0 where it loses. */
function share(wins: Tensor, a: Tensor, b: Tensor): Tensor {
  return wins.add(equal(a, b).mul(0.5));
}

/**
 * The larger of two; NaN where either is. At a tie each operand gets half the gradient.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * tensor([1, 5]).maximum(3).toArray(); // => [3, 5]
 * grad((x) => x.maximum(3).sum())(tensor([1, 3, 5])).toArray(); // => [0, 0.5, 1]
 * ```
 */
export const maximum: BinaryOp = simple(
  binary({
    name: "maximum",
    partials: [
      (d, a, b) => d.mul(share(greater(a, b), a, b)),
      (d, a, b) => d.mul(share(less(a, b), a, b)),
    ],
    residuals: "ab",
    apart: true,
  }),
);

/** The smaller of two; NaN where either is. At a tie each operand gets half the gradient. */
export const minimum: BinaryOp = simple(
  binary({
    name: "minimum",
    partials: [
      (d, a, b) => d.mul(share(less(a, b), a, b)),
      (d, a, b) => d.mul(share(greater(a, b), a, b)),
    ],
    residuals: "ab",
    apart: true,
  }),
);

/**
 * `a - b floor(a / b)`: the remainder with the sign of `b`, exact before that sign is seen to, as
 * Python's `%`, NumPy's `mod` and PyTorch's `remainder`. Of int32 too, where the remainder by 0 is
 * 0 as in NumPy.
 *
 * @example
 * ```ts
 * import { mod, tensor } from "@chronograd/autodiff";
 *
 * mod(tensor([5, -5, 5]), tensor([3, 3, -3])).toArray(); // => [2, 1, -1]
 * ```
 */
export const mod: BinaryOp = simple(
  binary({
    name: "mod",
    // The quotient is a whole number, and (a - y) / b is near it.
    partials: [(d) => d, (d, a, b, y) => d.mul(a.sub(y).div(b).round().neg())],
    residuals: "aby",
    domains: [
      [2.2, 2.8],
      [0.96, 1.04],
    ],
  }),
);
