import type { Cell, Values } from "./cell.ts";
import { batchOf } from "./checkRows.ts";
import { checkState } from "./checkState.ts";
import { initialState, likeParams } from "./initial.ts";

/** The state where a loop begins that is given none: learned, or as the cell declares it. */
export function startOf<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  input: X,
  where: string,
): Values<State> {
  const batch = batchOf(input, where);
  if (cell.initial === undefined) return initialState(cell, batch, likeParams(params));
  const state = cell.initial(params, batch);
  checkState(`${where}: what the cell's initial gives`, state, cell.state);
  return state;
}
