import { concat, linearRecurrence, ones, type Tensor, tree, where } from "@chronograd/autodiff";
import type { Values } from "../cell.ts";
import { fillRows, firstOf, rowWise, zeroRows } from "../sequences/rows.ts";
import { carry, checkCoefficient, type LinearForm } from "./defineLinearCell.ts";

/** A sequence of T steps and B rows, for a cell that takes it at once. */
export interface WholeSequence<X> {
  /** Every tensor `[T, B, ...]`. */
  readonly inputs: X;
  /** The state before the first step, `[B, ...]`. */
  readonly initial: Tensor;
  /** `[T, B]`; 0 where a row has no step. */
  readonly mask?: Tensor | undefined;
  /** `[T, B]`; 1 where a row begins afresh before a step. */
  readonly resets?: Tensor | undefined;
  /** The state of a row that begins afresh, `[B, ...]`; with `resets`. */
  readonly fresh?: Tensor | undefined;
  readonly reverse: boolean;
}

/**
 * All steps of a cell that is linear in its state: its products over all `T B` rows, and one scan.
 * Marks are selections among coefficients. A row without a step has `h_t = 1 h_{t-1} + 0`, and
 * another row's input and state in its place. One that begins afresh has `h_t = 0 h_{t-1} + b'`
 * with `b' = a fresh + b`, and the scan takes nothing through a coefficient of 0.
 */
export function scan<Params, X, Y>(
  { complex, transition, output }: LinearForm<Params, X, Y>,
  params: Values<Params>,
  { inputs, initial, mask, resets, fresh, reverse }: WholeSequence<X>,
): { readonly outputs: Y; readonly last: Tensor } {
  const [steps, batch] = tree.leaves(inputs)[0]!.shape as [number, number];
  const fold = (x: Tensor) => x.reshape([steps * batch, ...x.shape.slice(2)]);
  const unfold = (x: Tensor) => x.reshape([steps, batch, ...x.shape.slice(1)]);
  const rows = mask?.reshape([-1]);
  const first = rows && firstOf(rows);
  const xs = fillRows(tree.map(inputs, fold) as X, rows, first);
  const made = transition(params, xs);
  const coefficient = (name: "a" | "b") => {
    const x = made[name];
    checkCoefficient(name, x, [steps * batch, ...initial.shape.slice(1)]);
    return (x.rank === initial.rank ? unfold(x) : x).broadcastTo([steps, ...initial.shape]);
  };
  let [a, b] = [coefficient("a"), coefficient("b")];
  if (mask !== undefined) {
    a = where(rowWise(mask, a), a, unit(initial, complex));
    b = zeroRows(mask, b);
  }
  if (resets !== undefined) {
    const isFresh = rowWise(resets, b);
    b = where(isFresh, carry({ a, b }, fresh!.broadcastTo(b.shape), complex), b);
    a = where(isFresh, 0, a);
  }
  const h = linearRecurrence(a, b, initial, { reverse, complex });
  const ys = tree.map(output(params, fillRows(fold(h), rows, first), xs), (y: Tensor) => {
    const all = unfold(y);
    return mask === undefined ? all : zeroRows(mask, all);
  }) as Y;
  return { outputs: ys, last: h.slice([reverse ? 0 : steps - 1]) };
}

/** The coefficient that keeps a state: 1, as a complex number 1 + 0i. */
function unit({ shape, dtype, backend }: Tensor, complex: boolean): Tensor | number {
  if (!complex) return 1;
  const half = ones([shape.at(-1)! / 2], { dtype, backend });
  return concat([half, half.mul(0)]);
}
