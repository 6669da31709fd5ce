import { checkOptions } from "../tensor/options.ts";
import { format, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { type FunctionOp, type NoMethod, type OpDeclaration, op, type Sample } from "./declare.ts";
import { fusedRules } from "./fused.ts";
import { zerosLike } from "./gates.ts";
import { concat, split } from "./join.ts";
import { kernelsOf } from "./kernels.ts";
import { expandDims, reshape } from "./shape.ts";
import { slice } from "./slice.ts";

/** How `linearRecurrence` runs. */
export interface RecurrenceOptions {
  /** Runs from the last step to the first. */
  readonly reverse?: boolean;
  /** The last axis holds the real parts in its first half, the imaginary parts in its second. */
  readonly complex?: boolean;
}

type Run = Required<RecurrenceOptions>;

/** Sizes as kernels take them, and both options. */
function sizesOf(
  { shape }: Tensor,
  { reverse, complex }: Run,
): [number, number, number, 0 | 1, 0 | 1] {
  const [length, ...row] = shape;
  const inner = sizeOf(row);
  const half = complex ? row.at(-1)! / 2 : inner;
  const rows = complex ? sizeOf(row.slice(0, -1)) : 1;
  return [length!, rows, half, reverse ? 1 : 0, complex ? 1 : 0];
}

/** `x y`, or `x conj(y)`. */
function product(x: Tensor, y: Tensor, { complex }: Run, conjugate: boolean): Tensor {
  if (!complex) return x.mul(y);
  const [xr, xi] = split(x, 2, -1);
  const [yr, yi] = split(conjugate ? conj(y, { complex }) : y, 2, -1);
  const re = xr.mul(yr).sub(xi.mul(yi));
  return concat([re, xr.mul(yi).add(xi.mul(yr))], -1);
}

function conj(x: Tensor, { complex }: Pick<Run, "complex">): Tensor {
  if (!complex) return x;
  const [re, im] = split(x, 2, -1);
  return concat([re, im.neg()], -1);
}

/**
 * What belongs to the step before each step, `first` for the first one; `reverse` reads from the
 * end.
 */
function shifted(x: Tensor, first: Tensor, reverse: boolean): Tensor {
  const parts = [expandDims(first, 0), x];
  const length = x.shape[0]!;
  return reverse
    ? slice(concat(parts.toReversed()), [[1, length + 1]])
    : slice(concat(parts), [[0, length]]);
}

/**
 * The cotangents of the states: the recurrence from the other end, with the coefficient of the step
 * after.
 */
function cotangents(g: Tensor, a: Tensor, initial: Tensor, run: Run): Tensor {
  const reverse = !run.reverse;
  const nothing = zerosLike(initial);
  const coefficients = shifted(conj(a, run), nothing, reverse);
  return apply(declaration, [coefficients, g, nothing], { ...run, reverse });
}

const declaration: OpDeclaration<Run> & NoMethod = {
  name: "linearRecurrence",
  method: false,
  inputs: ["a", "b", "initial"],
  shape([a, b, initial], { complex }) {
    const { shape } = b!;
    if (
      shape.length === 0 ||
      !sameShape(a!.shape, shape) ||
      !sameShape(initial!.shape, shape.slice(1))
    ) {
      throw new RangeError(
        `linearRecurrence: a and b must be [T, ...] and initial [...], got a ${format(a!.shape)}, b ${format(shape)} and initial ${format(initial!.shape)}; repeat what is constant with broadcastTo`,
      );
    }
    if (complex && (shape.length === 1 || shape.at(-1)! % 2 === 1)) {
      throw new RangeError(
        `linearRecurrence: complex numbers must be real parts and as many imaginary parts along a last axis behind the steps, got b ${format(shape)}; join them with concat([re, im], -1)`,
      );
    }
    return shape;
  },
  forward(backend, [a, b, initial], y, run) {
    kernelsOf(backend, y).linearRecurrence(
      ...sizesOf(y, run),
      a!.pointer,
      b!.pointer,
      initial!.pointer,
      y.pointer,
    );
  },
  residuals: { inputs: [0, 2], output: true },
  vjp: fusedRules<Run>("linearRecurrence", [
    {
      plain: (g, { inputs: [a, , initial], output, attributes: run }) =>
        product(
          cotangents(g, a!, initial!, run),
          shifted(output, initial!, run.reverse),
          run,
          true,
        ),
      kernel(g, { inputs: [a, , initial], output, attributes: run }, into) {
        kernelsOf(into.block.backend, into).linearRecurrenceVjpA(
          ...sizesOf(g, run),
          a!.pointer,
          initial!.pointer,
          output.pointer,
          g.pointer,
          into.pointer,
        );
      },
    },
    {
      plain: (g, { inputs: [a, , initial], attributes: run }) => cotangents(g, a!, initial!, run),
      kernel(g, { inputs: [a], attributes: run }, into) {
        const { linearRecurrenceVjpB } = kernelsOf(into.block.backend, into);
        linearRecurrenceVjpB(...sizesOf(g, run), a!.pointer, g.pointer, into.pointer);
      },
    },
    {
      plain(g, { inputs: [a, , initial], attributes: run }) {
        const [length] = g.shape;
        if (length === 0) return zerosLike(initial!);
        const at = run.reverse ? length! - 1 : 0;
        const first = (x: Tensor) => slice(x, [[at, at + 1]]);
        const lambda = first(cotangents(g, a!, initial!, run));
        // One step of the recurrence, in which a coefficient of 0 cuts.
        const operands = [conj(first(a!), run), zerosLike(lambda), reshape(lambda, initial!.shape)];
        return reshape(apply(declaration, operands, run), initial!.shape);
      },
      kernel(g, { inputs: [a], attributes: run }, into) {
        const kernels = kernelsOf(into.block.backend, into);
        if (g.shape[0] === 0) return kernels.fill(into.size, 0, into.pointer);
        kernels.linearRecurrenceVjpInitial(...sizesOf(g, run), a!.pointer, g.pointer, into.pointer);
      },
    },
  ]).vjp,
  jvp([da, db, dinitial], { inputs: [a, , initial], output, attributes: run }) {
    const pushed = da && product(da, shifted(output, initial!, run.reverse), run, false);
    const sum = pushed && db ? pushed.add(db) : (pushed ?? db ?? zerosLike(output));
    return apply(declaration, [a!, sum, dinitial ?? zerosLike(initial!)], run);
  },
  samples: (
    [
      [[4], {}],
      [[3, 2], {}],
      [[1, 7], {}],
      [[5, 2, 3], { reverse: true }],
      [[3, 2], { complex: true }],
      [[4, 2, 6], { complex: true }],
      [[3, 10], { complex: true, reverse: true }],
      [[0, 2], {}],
      [[2, 0], { reverse: true }],
    ] as const
  ).map(
    ([shape, options]): Sample => ({
      label: [`[${shape}]`, ...Object.keys(options)].join(", "),
      inputs: [{ shape }, { shape }, { shape: shape.slice(1) }],
      call: ([a, b, initial]) => linearRecurrence(a!, b!, initial!, options),
    }),
  ),
};

/**
 * The states of a recurrence that is linear in its state: `h_t = a_t h_{t-1} + b_t`, element by
 * element, with `h_0 = initial`. All steps run in one kernel, and so do their gradients, which are
 * the same recurrence from the other end: `l_t = g_t + conj(a_{t+1}) l_{t+1}`, `db_t = l_t`,
 * `da_t = l_t conj(h_{t-1})` (Martin & Cundy 2018, Parallelizing linear recurrent neural nets over
 * sequence length). Where `a_t` is exactly 0, `h_t` is `b_t` whatever came before, NaN too: so a
 * row is reset.
 *
 * @param a coefficients, `[T, ...]`
 * @param b what is added, `[T, ...]`
 * @param initial the state before the first step, `[...]`
 * @returns the states after each step, `[T, ...]`
 * @throws when the shapes do not fit, or the last axis of complex numbers has no two halves
 *
 * @example
 * ```ts
 * import { linearRecurrence, tensor } from "@chronograd/autodiff";
 *
 * const a = tensor([[0.5], [0.5], [2]]);
 * const b = tensor([[1], [1], [0]]);
 * linearRecurrence(a, b, tensor([4])).toArray(); // => [[3], [2.5], [5]]
 *
 * // Turned by i at each step: real and imaginary part side by side.
 * const i = tensor([[0, 1], [0, 1]]);
 * const nothing = tensor([[0, 0], [0, 0]]);
 * const turns = linearRecurrence(i, nothing, tensor([1, 0]), { complex: true });
 * turns.toArray(); // => [[0, 1], [-1, 0]]
 * ```
 */
export const linearRecurrence: FunctionOp<
  (a: Tensor, b: Tensor, initial: Tensor, options?: RecurrenceOptions) => Tensor
> = op(
  declaration,
  (a: Tensor, b: Tensor, initial: Tensor, options?: RecurrenceOptions) => {
    if (options !== undefined) checkOptions("linearRecurrence", options, ["reverse", "complex"]);
    const { reverse = false, complex = false } = options ?? {};
    return apply(declaration, [a, b, initial], { reverse, complex });
  },
  2,
);
