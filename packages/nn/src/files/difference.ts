import { Tensor } from "@chronograd/autodiff";
import { describeType } from "@chronograd/autodiff/internal";
import type { DecodedTensor } from "./safetensors.ts";

/** A tensor of a file, in the tree where it stands. */
export class StoredTensor {
  readonly stored: DecodedTensor;

  constructor(stored: DecodedTensor) {
    this.stored = stored;
  }
}

/** Where two trees differ, in words. */
interface Difference {
  readonly path: string;
  readonly found: string;
  readonly expected: string;
}

/** What a leaf is: dtype and shape, or the kind of a plain value. */
export function typeOf(leaf: unknown): string {
  if (leaf instanceof Tensor) return describeType(leaf);
  if (leaf instanceof StoredTensor) return describeType(leaf.stored);
  return leaf === null ? "null" : `a ${typeof leaf}`;
}

/**
 * The first difference between two trees, in the order of `expected`: structure, or leaves that are
 * described in other words.
 *
 * @param isPart whether `found` may have more keys than `expected`, at the root
 */
export function firstDifference(
  found: unknown,
  expected: unknown,
  describe: (leaf: unknown) => string,
  isPart = false,
): Difference | undefined {
  const text = (value: unknown) => {
    const kind = kindOf(value);
    if (kind === "leaf") return describe(value);
    return kind === "object" ? "an object" : `an array of length ${(value as unknown[]).length}`;
  };
  const visit = (a: unknown, b: unknown, path: string, isRoot: boolean): Difference | undefined => {
    const kind = kindOf(a);
    if (kind !== kindOf(b) || kind === "leaf") {
      const [found, expected] = [text(a), text(b)];
      return found === expected ? undefined : { path, found, expected };
    }
    const [ours, theirs] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
    const below = (key: string) => (isRoot ? key : `${path}.${key}`);
    for (const [key, part] of Object.entries(theirs)) {
      if (!Object.hasOwn(ours, key))
        return { path: below(key), found: "nothing", expected: text(part) };
      const inside = visit(ours[key], part, below(key), false);
      if (inside !== undefined) return inside;
    }
    if (isRoot && isPart && kind === "object") return undefined;
    const extra = Object.keys(ours).find((key) => !Object.hasOwn(theirs, key));
    if (extra === undefined) return undefined;
    return { path: below(extra), found: text(ours[extra]), expected: "nothing" };
  };
  return visit(found, expected, "", true);
}

function kindOf(value: unknown): "leaf" | "array" | "object" {
  if (Array.isArray(value)) return "array";
  const isLeaf = value instanceof Tensor || value instanceof StoredTensor;
  return typeof value === "object" && value !== null && !isLeaf ? "object" : "leaf";
}
