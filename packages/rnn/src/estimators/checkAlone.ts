import { type Tensor, tree } from "@chronograd/autodiff";
import { treeRows } from "../derivatives/rows.ts";
import { rowsTree } from "../derivatives/vectors.ts";
import type { CheckedMarks } from "../sequences/marks.ts";
import { type Arguments, WholeSequence } from "./wholeSequence.ts";

/**
 * Throws a sentence unless each step alone, from the state before it, gives what it gave among all
 * steps: a step whose rows depend on each other, or that branches on numbers of one, does not.
 *
 * @param states after all steps, `[T B, H]`
 */
export function checkAlone<Params, State, X, Y>(
  where: string,
  whole: WholeSequence<Params, State, X, Y>,
  given: Arguments<Params, State>,
  states: Tensor,
): void {
  const { steps, rows, cell } = whole;
  const before = whole.before(given.start, states);
  const after = whole.after(given, before);
  const outputs = whole.outputs(given, before);
  // To rounding: kernels add up many rows in another order than few.
  const isFloat64 = before.dtype === "float64";
  const tolerance = Math.sqrt(isFloat64 ? Number.EPSILON : 2 ** -23);
  for (let t = 0; t < steps; t++) {
    const own: [number, number] = [t * rows, (t + 1) * rows];
    const rowsBefore = before.slice([own]);
    const one = {
      params: given.params,
      start: rowsTree(rowsBefore, given.start) as unknown as typeof given.start,
      input: treeRows(given.input, (x) => x.slice([own])),
    };
    const alone = new WholeSequence(
      `${where}: step ${t + 1} alone`,
      cell,
      one,
      marksOf(whole.marks, t),
      1,
    );
    const isSame =
      isNear(alone.after(alone.given, rowsBefore), after.slice([own]), tolerance) &&
      isNear(
        alone.outputs(alone.given, rowsBefore),
        tree.map(outputs, (x: Tensor) => x.slice([[t, t + 1]])),
        tolerance,
      );
    if (isSame) continue;
    throw new RangeError(
      `${where}: step ${t + 1} alone gives another state or output than among the rows of all ${steps} steps, so that the steps cannot run at once; each row must be a function of its own input and state: run the cell with unroll`,
    );
  }
}

function marksOf({ mask, resets }: CheckedMarks, t: number): CheckedMarks {
  return {
    ...(mask && { mask: mask.slice([[t, t + 1]]) }),
    ...(resets && { resets: resets.slice([[t, t + 1]]) }),
  };
}

/** Whether all numbers of two trees are alike, beside the largest of the second or 1. */
function isNear(a: unknown, b: unknown, tolerance: number): boolean {
  const found = tree.leaves(a);
  return tree.leaves(b).every((y: Tensor, i) => {
    const x = Float64Array.from(found[i]!.toTypedArray());
    const values = Float64Array.from(y.toTypedArray());
    const most = values.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
    return values.every((value, k) => !(Math.abs(value - x[k]!) > tolerance * most));
  });
}
