import { Tensor } from "./tensor.ts";

/** Tensors in plain nested objects and arrays; parameters, states and gradients are such trees. */
export type Tree<Leaf = Tensor> =
  | Leaf
  | { readonly [name: string]: Tree<Leaf> }
  | readonly Tree<Leaf>[];

/** The tree `T` with every leaf of type `From` replaced by a `To`. */
export type MapTree<T, To, From = Tensor> = T extends From
  ? To
  : T extends object
    ? { -readonly [K in keyof T]: MapTree<T[K], To, From> }
    : T;

/** Tells a leaf of a tree from the objects and arrays around it. */
export type IsLeaf<Leaf> = (value: unknown) => value is Leaf;

/** True for tensors, the leaves of parameter trees. */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

/** True for what holds the parts of a tree, but for arrays. @internal */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Every leaf with its path (`"layers.0.W"`, `""` for a lone leaf), depth first, in the order of
 * keys.
 *
 * @example
 * ```ts
 * import { tensor, tree } from "@chronograd/autodiff";
 *
 * const params = { layers: [{ W: tensor(1) }], b: tensor(2) };
 * tree.leavesWithPath(params).map(([path]) => path); // => ["layers.0.W", "b"]
 * ```
 */
export function leavesWithPath<Leaf = Tensor>(
  tree: unknown,
  isLeaf: IsLeaf<Leaf> = isTensor as unknown as IsLeaf<Leaf>,
): [path: string, leaf: Leaf][] {
  const result: [string, Leaf][] = [];
  const visit = (value: unknown, path: string): void => {
    if (isLeaf(value)) result.push([path, value]);
    else if (Array.isArray(value) || isPlain(value)) {
      for (const [key, part] of Object.entries(value))
        visit(part, path === "" ? key : `${path}.${key}`);
    }
  };
  visit(tree, "");
  const paths = new Set<string>();
  for (const [path] of result) {
    if (paths.has(path)) {
      throw new TypeError(
        `tree.leavesWithPath: two leaves have the path ${quote(path)}; rename a key that holds a "."`,
      );
    }
    paths.add(path);
  }
  return result;
}

/**
 * Throws a sentence unless a value is a tree of tensors: plain objects and arrays all the way. An
 * instance of a class would be passed over in silence. @internal
 */
export function checkTree(tree: unknown, where: string): void {
  const visit = (value: unknown, path: string, isRoot: boolean): void => {
    if (value instanceof Tensor) return;
    if (Array.isArray(value) || isPlain(value)) {
      for (const [key, part] of Object.entries(value)) {
        visit(part, path === "" ? key : `${path}.${key}`, false);
      }
    } else if (isRoot || (typeof value === "object" && value !== null)) {
      const got =
        typeof value === "object" && value !== null
          ? `an instance of ${value.constructor.name}`
          : String(value);
      throw new TypeError(
        `${where}: expected tensors in plain objects and arrays, got ${got} at ${quote(path)}`,
      );
    }
  };
  visit(tree, "", true);
}

/**
 * Every tensor in a tree, depth first; whatever else stands there is passed over.
 *
 * @example
 * ```ts
 * import { tensor, tree } from "@chronograd/autodiff";
 *
 * const params = { layers: [{ W: tensor(1) }], b: tensor(2) };
 * tree.leaves(params).length; // => 2
 * ```
 */
export function leaves(tree: unknown): Tensor[] {
  const found: Tensor[] = [];
  const visit = (value: unknown): void => {
    if (value instanceof Tensor) found.push(value);
    else if (Array.isArray(value)) for (let i = 0; i < value.length; i++) visit(value[i]);
    else if (isPlain(value)) for (const key of Object.keys(value)) visit(value[key]);
  };
  visit(tree);
  return found;
}

/**
 * A tree of the same structure with every leaf replaced by `f(leaf, path)`; what is not a leaf
 * stays as it is.
 *
 * @example
 * ```ts
 * import { tensor, tree } from "@chronograd/autodiff";
 *
 * tree.map({ W: tensor([1, 2]), b: tensor(3) }, (x) => x.mul(2)).b.item(); // => 6
 * ```
 */
export function map<T, To, Leaf = Tensor>(
  tree: T,
  f: (leaf: Leaf, path: string) => To,
  isLeaf: IsLeaf<Leaf> = isTensor as unknown as IsLeaf<Leaf>,
): MapTree<T, To, Leaf> {
  return mapped(tree, f, isLeaf, "") as MapTree<T, To, Leaf>;
}

/** `map` of tensors for an `f` that asks for no path, which takes less time. @internal */
export function mapLeaves<T, To>(tree: T, f: (leaf: Tensor) => To): MapTree<T, To> {
  return mapped(tree, f, isTensor as unknown as IsLeaf<Tensor>) as MapTree<T, To>;
}

function mapped<Leaf>(
  value: unknown,
  f: (leaf: Leaf, path: string) => unknown,
  isLeaf: IsLeaf<Leaf>,
  path?: string,
): unknown {
  if (isLeaf(value)) return f(value, path!);
  const start = path === "" || path === undefined ? path : `${path}.`;
  const below = (part: unknown, key: string | number): unknown =>
    mapped(part, f, isLeaf, start === undefined ? start : start + key);
  if (Array.isArray(value)) return value.map(below);
  if (!isPlain(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const part = below(value[key], key);
    if (key !== "__proto__") copy[key] = part;
    else Object.defineProperty(copy, key, { value: part, ...ordinary });
  }
  return copy;
}

/** What a property is that was assigned. */
const ordinary = { configurable: true, enumerable: true, writable: true };

/**
 * Pairs two trees leaf by leaf: `f(a, b, path)`.
 *
 * @throws when a path of the first tree has no leaf in the second, or the other way round
 *
 * @example
 * ```ts
 * import { tensor, tree } from "@chronograd/autodiff";
 *
 * tree.zip({ w: tensor(1) }, { w: tensor(2) }, (a, b) => a.add(b)).w.item(); // => 3
 * ```
 */
export function zip<T, U, To>(
  first: T,
  second: U,
  f: (a: Tensor, b: Tensor, path: string) => To,
): MapTree<T, To> {
  const others = new Map(leavesWithPath(second));
  const count = others.size;
  let paired = 0;
  const result = map(first, (leaf: Tensor, path) => {
    const other = others.get(path);
    if (other === undefined) {
      throw new TypeError(
        `tree.zip: the second tree has no tensor at ${quote(path)}; both trees must have the same structure`,
      );
    }
    paired++;
    return f(leaf, other, path);
  });
  if (paired !== count) {
    const mine = new Set(leavesWithPath(first).map(([path]) => path));
    const extra = [...others.keys()].find((path) => !mine.has(path)) ?? "";
    throw new TypeError(
      `tree.zip: the first tree has no tensor at ${quote(extra)}; both trees must have the same structure`,
    );
  }
  return result;
}

/** A path for an error message. @internal */
export function quote(path: string): string {
  return path === "" ? "its root" : JSON.stringify(path);
}
