import { checkInt32 } from "../tensor/dtype.ts";
import { normalizeAxes, reducedShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { checkAlike } from "./apply.ts";
import { maximum, mul, sub } from "./arithmetic.ts";
import { type CompareOp, equal, greater, notEqual } from "./compare.ts";
import { type Op, type Operand, op } from "./declare.ts";
import { sum } from "./reduce.ts";
import { keptDims, type ReduceOp, reduceSamples } from "./reduction.ts";

/** A question to each element: 1 where it holds, 0 where not, in the dtype of `x`. */
export type TestOp = Op<(x: Tensor) => Tensor>;

/**
 * 1 where an operand is not 0; of a number as a number, which adopts the dtype of the tensor beside
 * it.
 */
const truth = (x: Operand): Operand => (typeof x === "number" ? Number(x !== 0) : notEqual(x, 0));

function pairwise(name: string, f: CompareOp): CompareOp {
  const call = (a: Operand, b: Operand): Tensor => {
    checkAlike(a, b, name);
    for (const [x, beside] of [
      [a, b],
      [b, a],
    ]) {
      if (typeof x === "number" && beside instanceof Tensor && beside.dtype === "int32")
        checkInt32([x], name);
    }
    return f(truth(a), truth(b));
  };
  return op(
    {
      name,
      composite: true,
      samples: [
        {
          label: "[2,3] and [3]",
          inputs: [{ shape: [2, 3] }, { shape: [3] }],
          call: ([a, b]) => call(a!, b!),
        },
      ],
    },
    call,
  );
}

/**
 * 1 where both operands are not 0, else 0, in their dtype; NaN is not 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([-1, 0.5, 3]);
 * x.greater(0).logicalAnd(x.less(1)).toArray(); // => [0, 1, 0]
 * ```
 */
export const logicalAnd: CompareOp = pairwise("logicalAnd", mul);
/** 1 where an operand is not 0, else 0. */
export const logicalOr: CompareOp = pairwise("logicalOr", maximum);
/** 1 where one operand is 0 and the other is not, else 0. */
export const logicalXor: CompareOp = pairwise("logicalXor", notEqual);

function elementwise(name: string, call: (x: Tensor) => Tensor): TestOp {
  return op(
    {
      name,
      composite: true,
      samples: [{ label: "[2,3]", inputs: [{ shape: [2, 3] }], call: ([x]) => call(x!) }],
    },
    call,
    1,
  );
}

/** 1 where `x` is 0, else 0. */
export const logicalNot: TestOp = elementwise("logicalNot", (x) => equal(x, 0));

/**
 * 1 where `x` is NaN, else 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([1, Number.NaN, Infinity]);
 * [x.isNaN().toArray(), x.isFinite().toArray()]; // => [[0, 1, 0], [1, 0, 0]]
 * ```
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: it is that test of tensors
export const isNaN: TestOp = elementwise("isNaN", (x) => notEqual(x, x));
/** 1 where `x` is neither NaN nor infinite, else 0. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: it is that test of tensors
export const isFinite: TestOp = elementwise("isFinite", (x) => equal(sub(x, x), 0));

function quantifier(name: string, f: (x: Tensor, axes: readonly number[]) => Tensor): ReduceOp {
  const call = (
    x: Tensor,
    axes?: number | readonly number[],
    options?: { keepDims?: boolean },
  ): Tensor => {
    const keepDims = keptDims(name, options);
    const list = normalizeAxes(axes, x.rank, name);
    return f(x, list).reshape(reducedShape(x.shape, list, keepDims));
  };
  return op(
    {
      name,
      composite: true,
      samples: reduceSamples(call),
    },
    call,
    1,
  );
}

/**
 * 1 where no element along axes (all unless given) is 0, else 0, in the dtype of `x`; 1 of nothing.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 2], [0, 3]]);
 * [x.all(1).toArray(), x.any().item()]; // => [[1, 0], 1]
 * ```
 */
export const all: ReduceOp = quantifier("all", (x, axes) => equal(sum(equal(x, 0), axes), 0));
/**
 * 1 where an element along axes (all unless given) is not 0, else 0, in the dtype of `x`; 0 of
 * nothing.
 */
export const any: ReduceOp = quantifier("any", (x, axes) => greater(sum(notEqual(x, 0), axes), 0));
