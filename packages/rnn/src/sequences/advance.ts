import type { Cell, Values } from "../cell.ts";
import { rowsOf } from "../checkRows.ts";
import { checkState, inOrderOf, isAlike } from "../checkState.ts";
import { runStep } from "../runStep.ts";
import type { Prepared } from "./prepare.ts";
import { fillRows, selectRows } from "./rows.ts";

/** A step as a loop runs it. */
export interface Advanced<State, Y> {
  /** In the rows that have a step; in others that of another row. `undefined` where none has. */
  readonly output: Y | undefined;
  readonly next: State;
  /** The state that the step gave, before rows without a step got theirs back. */
  readonly after: State;
}

/**
 * One step of a cell with its marks, by selection alone: a row that is reset continues from the
 * initial state; the place of a row without a step is taken by a row that has one, so that nothing
 * reads what stands there, and its state goes on unchanged.
 *
 * @param input filled by `fillRows` already
 */
export function advance<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  input: X,
  { reset, mask, first, isEmpty, fresh, noise }: Prepared,
  state: Values<State>,
): Advanced<Values<State>, Y> {
  const before =
    reset === undefined
      ? state
      : selectRows(
          "a reset",
          reset,
          (fresh ?? cell.initial!(params, rowsOf(state)!)) as Values<State>,
          state,
        );
  if (isEmpty === true) return { output: undefined, next: before, after: before };
  const [output, made] = runStep(cell, params, input, fillRows(before, mask, first), noise);
  if (!isAlike(made, before)) checkState("the state that the step returns", made, before);
  const after = inOrderOf(before, made);
  const next = first === undefined ? after : selectRows("a mask", mask!, after, before);
  return { output, next, after };
}
