import { describe } from "../ops/declare.ts";
import { Tensor } from "../tensor/tensor.ts";

/**
 * A value for every leaf of a tree: one for all, or one for each element or key, and so on inwards
 * (what JAX calls a tree prefix).
 */
export type Prefix<Value> =
  | Value
  | readonly Prefix<Value>[]
  | { readonly [name: string]: Prefix<Value> };

const isInner = (value: unknown): value is object => typeof value === "object" && value !== null;

/**
 * The values of a prefix, for the leaves of a tree in their order.
 *
 * @param where how sentences name the prefix, such as `dataParallel: axis`
 * @param what how they name the tree, such as `the arguments`
 * @param isLeaf tells leaves that get a value; all else is passed over
 */
export function spread<Value>(
  prefix: Prefix<Value>,
  tree: unknown,
  where: string,
  what: string,
  isLeaf: (value: unknown) => boolean = (value) => value instanceof Tensor,
): Value[] {
  const found: Value[] = [];
  const visit = (own: Prefix<Value>, value: unknown, path: string): void => {
    const at = path === "" ? "" : ` at "${path}"`;
    if (isLeaf(value)) {
      if (isInner(own)) {
        throw new TypeError(
          `${where}${at} is ${describe(own)}, but ${what} have no more parts there; expected one value`,
        );
      }
      found.push(own);
      return;
    }
    if (!isInner(value)) return;
    const names = Object.keys(value);
    if (isInner(own)) {
      const given = Object.keys(own);
      const isOfKind = Array.isArray(own) === Array.isArray(value);
      if (!isOfKind || given.length !== names.length || !given.every((name) => name in value)) {
        throw new TypeError(
          `${where}${at} has ${partsOf(own, given)}, but ${what} have ${partsOf(value, names)} there; give one value for all of them, or one for each`,
        );
      }
    }
    for (const name of names) {
      const below = isInner(own) ? (own as Record<string, Prefix<Value>>)[name]! : own;
      const part = (value as Record<string, unknown>)[name];
      visit(below, part, path === "" ? name : `${path}.${name}`);
    }
  };
  visit(prefix, tree, "");
  return found;
}

function partsOf(tree: object, names: readonly string[]): string {
  if (Array.isArray(tree)) return `${names.length} ${names.length === 1 ? "element" : "elements"}`;
  return names.length === 0 ? "no keys" : `the keys ${names.join(", ")}`;
}

/** Throws a sentence for what is no prefix of values. */
export function checkPrefix(
  prefix: unknown,
  isValue: (value: unknown) => boolean,
  where: string,
  expected: string,
): void {
  if (isInner(prefix)) {
    for (const part of Object.values(prefix)) checkPrefix(part, isValue, where, expected);
  } else if (!isValue(prefix)) {
    const got = typeof prefix === "string" ? JSON.stringify(prefix) : describe(prefix);
    throw new TypeError(`${where} must be ${expected}, got ${got}`);
  }
}
