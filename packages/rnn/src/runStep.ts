import { Tensor } from "@chronograd/autodiff";
import type { Cell, Values } from "./cell.ts";
import { checkNext, checkRows } from "./checkRows.ts";

/** Steps that check what they take and return, and say whose they are. */
const checked = new WeakSet<object>();

/**
 * One step of a cell, whose result must be a pair and whose input and states must have one number
 * of rows. @internal
 */
export function runStep<Params, State, X, Y>(
  cell: Pick<Cell<Params, State, X, Y>, "step">,
  params: Values<Params>,
  x: X,
  state: Values<State>,
  noise?: unknown,
): readonly [output: Y, state: Values<State>] {
  return checked.has(cell.step)
    ? cell.step(params, x, state, noise)
    : checkedStep("cell", cell, params, x, state, noise);
}

/**
 * A step that checks what it takes and returns, in the name of its cell.
 *
 * @param columns how many numbers a row of the input has, where that is known
 */
export function checkingStep<Params, State, X, Y>(
  name: string,
  columns: unknown,
  own: Cell<Params, State, X, Y>["step"],
): Cell<Params, State, X, Y>["step"] {
  const cell = { step: own };
  const step: typeof own = (params, x, state, noise) => {
    checkBatchAxis(name, x, columns);
    return checkedStep(name, cell, params, x, state, noise);
  };
  checked.add(step);
  return step;
}

function checkedStep<Params, State, X, Y>(
  name: string,
  cell: Pick<Cell<Params, State, X, Y>, "step">,
  params: Values<Params>,
  x: X,
  state: Values<State>,
  noise: unknown,
): readonly [output: Y, state: Values<State>] {
  checkRows(name, x, state);
  const result: unknown = cell.step(params, x, state, noise);
  if (!Array.isArray(result) || result.length !== 2) {
    throw new TypeError(
      `${name}: step must return [output, state], got ${Array.isArray(result) ? `an array of ${result.length}` : String(result)}`,
    );
  }
  checkNext(name, x, state, result[1]);
  return result as unknown as readonly [Y, Values<State>];
}

/**
 * A row of `columns` numbers, where rows of such were expected, would be taken for as many rows.
 */
function checkBatchAxis(name: string, x: unknown, columns: unknown): void {
  if (!(x instanceof Tensor) || x.rank !== 1 || x.dtype === "int32") return;
  if (typeof columns !== "number" || columns === 1) return;
  throw new RangeError(
    `${name}: the input [${x.shape}] has no axis for rows, expected [rows, ${columns}]; one row is x.reshape([1, ${columns}])`,
  );
}
