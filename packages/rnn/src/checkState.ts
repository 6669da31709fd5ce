import { isTensor, type Tensor, tree } from "@chronograd/autodiff";
import { describeTensor, isLike } from "@chronograd/autodiff/internal";
import { type Initializer, isInitializer } from "@chronograd/nn";
import { isBranch } from "./findTensor.ts";

/** A tensor of a state, or what declares one. */
function isLeaf(value: unknown): value is Initializer {
  return isTensor(value) || isInitializer(value);
}

/** Whether two states have tensors in the same places; it makes no list of them. */
export function isAlike(a: unknown, b: unknown): boolean {
  if (!isBranch(a) || !isBranch(b)) return isBranch(a) === isBranch(b);
  for (const key in b) if (!(key in a)) return false;
  for (const key in a) if (!(key in b) || !isAlike(a[key], b[key])) return false;
  return true;
}

/** A state with the tensors of `like`, in its order: a step may return them in another. */
export function inOrderOf<State>(like: State, state: State): State {
  if (isInOrder(like, state)) return state;
  return tree.zip(like, state, (_, x) => x) as State;
}

function isInOrder(a: unknown, b: unknown): boolean {
  if (!isBranch(a) || !isBranch(b)) return true;
  const keys = Object.keys(b);
  return Object.keys(a).every((key, i) => key === keys[i] && isInOrder(a[key], b[key]));
}

/** Throws a sentence unless a tree has the tensors of a cell's state, each at its path. */
export function checkState(what: string, state: unknown, declared: unknown): void {
  const found = tree.leavesWithPath(state).map(([path]) => path);
  const expected = tree.leavesWithPath<Initializer>(declared, isLeaf).map(([path]) => path);
  if (found.length === expected.length && expected.every((path) => found.includes(path))) return;
  const list = (paths: readonly string[]) =>
    paths.length === 0 ? "none" : paths.map((path) => path || "one without a name").join(", ");
  throw new TypeError(
    `${what} must have the tensors of the cell's state, ${list(expected)}, got ${list(found)}; initialState(cell, batch) has them`,
  );
}

/** The first tensor of a state whose shape or dtype a step changes, before and after in words. */
export function changeOfType(
  before: unknown,
  after: unknown,
): { readonly path: string; readonly was: string; readonly is: string } | undefined {
  const now = new Map<string, Tensor>(tree.leavesWithPath(after));
  for (const [path, x] of tree.leavesWithPath(before)) {
    const y = now.get(path);
    if (y !== undefined && isLike(x, y)) continue;
    const is = y === undefined ? "missing" : describeTensor(y);
    return { path: path || "it", was: describeTensor(x), is };
  }
  return undefined;
}
