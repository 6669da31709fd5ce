import { Tensor, tree } from "@chronograd/autodiff";
import { findTensor, isBranch, nameOfTensor } from "./findTensor.ts";

const hasAxis = ({ shape }: Tensor): boolean => shape.length > 0;

/**
 * Rows of a tree: the length of the first axis that a tensor of it has; `undefined` where none has
 * one.
 */
export function rowsOf(values: unknown): number | undefined {
  return findTensor(values, hasAxis)?.shape[0];
}

/** Rows of a batch, from one step's input. */
export function batchOf(input: unknown, where: string): number {
  const rows = rowsOf(input);
  if (rows === undefined) {
    throw new TypeError(
      `${where}: cannot tell the batch size from an input without tensors or axes; pass { state: initialState(cell, batch) }`,
    );
  }
  return rows;
}

/** Rows of a step: those of its state, or of its input where no state has any. */
function rowsOfStep(x: unknown, state: unknown): number | undefined {
  return rowsOf(state) ?? rowsOf(x);
}

/**
 * Throws a sentence unless the tensors of a step's input and state have one number of rows, the
 * length of the first axis. One without axes is a number for all rows.
 */
export function checkRows(where: string, x: unknown, state: unknown): void {
  const rows = rowsOfStep(x, state);
  const hasOthers = ({ shape }: Tensor): boolean => shape[0] !== rows && shape.length > 0;
  const wrong = findTensor(state, hasOthers) ?? findTensor(x, hasOthers);
  if (wrong !== undefined)
    refuse(`${where}: `, wrong, rows!, { "the state": state, "the input": x });
}

/**
 * Throws a sentence unless a step's target has the rows of its input and state. A vector of another
 * length than 1 is what the loss makes of it: ops refuse to repeat it.
 */
export function checkTarget(target: unknown, x: unknown, state: unknown): void {
  const rows = rowsOfStep(x, state);
  if (rows === undefined) return;
  const wrong = findTensor(target, ({ shape }) => {
    return shape[0] !== rows && (shape.length > 1 || shape[0] === 1);
  });
  if (wrong === undefined) return;
  const trees = { "the input": x, "the state": state, "the target": target };
  refuse("", wrong, rows, trees);
}

/**
 * Throws a sentence unless the state after a step has the rows, and its tensors as many axes, as
 * the state before. The other axes may become longer or shorter.
 */
export function checkNext(where: string, x: unknown, state: unknown, next: unknown): void {
  const rows = rowsOfStep(x, state);
  if (follows(state, next, rows)) return;
  const before = new Map(tree.leavesWithPath(state));
  for (const [path, after] of tree.leavesWithPath(next)) {
    const like = before.get(path);
    if (like === undefined || like.rank === after.rank) continue;
    throw new RangeError(
      `${where}: ${nameOfTensor("the next state", path, after)} has ${after.rank} axes, and ${nameOfTensor("the state", path, like)} before the step has ${like.rank}; return a state with the same axes (a step may change the length of all but the first)`,
    );
  }
  const wrong = findTensor(next, ({ shape }) => shape[0] !== rows && shape.length > 0)!;
  refuse(`${where}: `, wrong, rows!, {
    "the state": state,
    "the input": x,
    "the next state": next,
  });
}

function follows(before: unknown, next: unknown, rows: number | undefined): boolean {
  if (next instanceof Tensor) {
    const { length } = next.shape;
    if (before instanceof Tensor && before.shape.length !== length) return false;
    return rows === undefined || length === 0 || next.shape[0] === rows;
  }
  if (!isBranch(next)) return true;
  const others = isBranch(before) ? before : {};
  for (const key in next) if (!follows(others[key], next[key], rows)) return false;
  return true;
}

/** Throws for a tensor that has not `rows` rows, beside the first one that has them. */
function refuse(
  where: string,
  wrong: Tensor,
  rows: number,
  trees: Readonly<Record<string, unknown>>,
): never {
  const leaves = Object.entries(trees).flatMap(([values, value]) =>
    tree.leavesWithPath(value).map(([path, x]) => ({ x, said: nameOfTensor(values, path, x) })),
  );
  const right = leaves.find(({ x }) => x.shape[0] === rows)!.said;
  const name = leaves.find(({ x }) => x === wrong)!.said;
  const { shape } = wrong;
  const has = `${shape[0]} row${shape[0] === 1 ? "" : "s"}`;
  const wayOut =
    shape[0] === 1
      ? `where all rows share it, say so with broadcastTo([${[rows, ...shape.slice(1)]}])`
      : "give both one row for each sequence of the batch";
  throw new RangeError(`${where}${name} has ${has}, and ${right} has ${rows}; ${wayOut}`);
}
