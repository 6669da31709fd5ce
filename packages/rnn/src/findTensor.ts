import { Tensor } from "@chronograd/autodiff";

/** Plain objects and arrays, the branches of a tree. */
export function isBranch(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Array.isArray(value);
}

/**
 * The first tensor of a tree that `test` is true of; it stops there, and makes no list of tensors
 * and paths.
 */
export function findTensor(tree: unknown, test: (x: Tensor) => boolean): Tensor | undefined {
  if (tree instanceof Tensor) return test(tree) ? tree : undefined;
  if (!isBranch(tree)) return undefined;
  for (const key in tree) {
    const found = findTensor(tree[key], test);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a value is that is not what was expected, in words. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value instanceof Tensor) return "a tensor";
  return Array.isArray(value) ? "an array" : typeof value;
}

/** A tensor of a tree in words: `the state "h" [2,5]`. */
export function nameOfTensor(tree: string, path: string, { shape }: Tensor): string {
  return `${tree}${path === "" ? "" : ` "${path}"`} [${shape}]`;
}
