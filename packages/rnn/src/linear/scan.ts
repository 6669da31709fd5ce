import {
  arange,
  concat,
  linearRecurrence,
  ones,
  type Tensor,
  tree,
  where,
} from "@chronograd/autodiff";
import type { Values } from "../cell.ts";
import { carry, type LinearForm } from "./defineLinearCell.ts";

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
 * another row's input and state in its place; one that begins afresh has ` h_t = 0 h_{t-1} + (a
 * fresh + b) ` , and the scan takes nothing through a coefficient of 0.
 */
export function scan<Params, X, Y>(
  { complex, transition, output }: LinearForm<Params, X, Y>,
  params: Values<Params>,
  { inputs, initial, mask, resets, fresh, reverse }: WholeSequence<X>,
): { readonly outputs: Y; readonly last: Tensor } {
  const [steps, batch] = tree.leaves(inputs)[0]!.shape as [number, number];
  const fold = (x: Tensor) => x.reshape([steps * batch, ...x.shape.slice(2)]);
  const unfold = (x: Tensor) => x.reshape([steps, batch, ...x.shape.slice(1)]);
  const filled = mask === undefined ? <T>(rows: T) => rows : filling(mask.reshape([-1]));
  const xs = filled(tree.map(inputs, fold) as X);
  const coefficient = (x: Tensor) =>
    (x.rank === initial.rank && x.shape[0] === steps * batch ? unfold(x) : x).broadcastTo([
      steps,
      ...initial.shape,
    ]);
  const made = transition(params, xs);
  let [a, b] = [coefficient(made.a), coefficient(made.b)];
  if (mask !== undefined) {
    const isThere = marking(mask, b);
    a = where(isThere, a, unit(initial, complex));
    b = where(isThere, b, 0);
  }
  if (resets !== undefined) {
    const isFresh = marking(resets, b);
    b = where(isFresh, carry({ a, b }, fresh!.broadcastTo(b.shape), complex), b);
    a = where(isFresh, 0, a);
  }
  const h = linearRecurrence(a, b, initial, { reverse, complex });
  const ys = tree.map(output(params, filled(fold(h)), xs), (y: Tensor) => {
    const all = unfold(y);
    return mask === undefined ? all : where(marking(mask, all), all, 0);
  }) as Y;
  return { outputs: ys, last: h.slice([reverse ? 0 : steps - 1]) };
}

/** A mark `[T, B]` that broadcasts against `[T, B, ...]`. */
function marking(mark: Tensor, x: Tensor): Tensor {
  return mark.reshape([...mark.shape, ...x.shape.slice(2).map(() => 1)]);
}

/**
 * Puts a row that has a step in the place of each that has none, in every tensor of a tree; where
 * no row has one, 0.
 */
function filling(mask: Tensor): <T>(rows: T) => T {
  const { backend } = mask;
  const own = arange(0, mask.size, 1, { dtype: "int32", backend });
  const index = where(mask, own, mask.argmax(0));
  const isAny = mask.max();
  return (rows) => tree.map(rows, (x: Tensor) => where(isAny, x.gather(index), 0)) as typeof rows;
}

/** The coefficient that keeps a state: 1, as a complex number 1 + 0i. */
function unit({ shape, dtype, backend }: Tensor, complex: boolean): Tensor | number {
  if (!complex) return 1;
  const half = ones([shape.at(-1)! / 2], { dtype, backend });
  return concat([half, half.mul(0)]);
}
