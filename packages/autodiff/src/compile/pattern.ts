import type { DType } from "../tensor/dtype.ts";
import { type Shape, sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { isPlain } from "../tensor/tree.ts";

/** Whether a value is like a part of a tree; its tensors are added to `found`. */
type Part = (value: unknown, found: Tensor[]) => boolean;

/**
 * What trees have to be like: their structure, shapes and dtypes of their tensors, and the value of
 * everything else.
 */
export class Pattern {
  readonly #root: Part;
  /** Of tensors that were one and the same: the place of the first. */
  readonly #twins: readonly (readonly [at: number, first: number])[];
  readonly #distinct: number;

  constructor(tree: unknown) {
    const tensors: Tensor[] = [];
    this.#root = partOf(tree, tensors);
    const places = new Map<Tensor, number>();
    for (const [at, x] of tensors.entries()) if (!places.has(x)) places.set(x, at);
    this.#twins = tensors.flatMap((x, at): [number, number][] => {
      const first = places.get(x)!;
      return first < at ? [[at, first]] : [];
    });
    this.#distinct = places.size;
  }

  /** The tensors of a tree like this, with keys in the same order; `undefined` of another. */
  tensorsOf(tree: unknown): Tensor[] | undefined {
    const found: Tensor[] = [];
    return this.#root(tree, found) ? found : undefined;
  }

  /** Whether tensors that have one address here have one there. */
  hasTwins(tensors: readonly Tensor[]): boolean {
    for (const [at, first] of this.#twins) {
      if (tensors[at]!.pointer !== tensors[first]!.pointer) return false;
    }
    return true;
  }

  /** Whether the same of them are one and the same, and no others. */
  isExact(tensors: readonly Tensor[]): boolean {
    for (const [at, first] of this.#twins) if (tensors[at] !== tensors[first]) return false;
    return distinct(tensors) === this.#distinct;
  }
}

/** Tensors that are few are compared with each other, which makes nothing. */
const few = 64;

/** How many different ones there are. */
function distinct(tensors: readonly Tensor[]): number {
  if (tensors.length > few) return new Set(tensors).size;
  let count = 0;
  for (let at = 0; at < tensors.length; at++) {
    if (tensors.indexOf(tensors[at]!) === at) count++;
  }
  return count;
}

function partOf(like: unknown, tensors: Tensor[]): Part {
  if (like instanceof Tensor) {
    tensors.push(like);
    return tensorLike(like.shape, like.dtype);
  }
  if (Array.isArray(like)) return listLike(Array.from(like, (part) => partOf(part, tensors)));
  if (!isPlain(like)) return constantLike(like);
  const keys = Object.keys(like);
  return objectLike(
    keys,
    keys.map((key) => partOf(like[key], tensors)),
  );
}

// Functions of their own: one closure in `partOf` would keep `like`, and so a tensor's bytes, for
// all of them.
function tensorLike(shape: Shape, dtype: DType): Part {
  return (value, found) =>
    value instanceof Tensor &&
    value.dtype === dtype &&
    value.tape === null &&
    sameShape(value.shape, shape) &&
    found.push(value) > 0;
}

function listLike(parts: readonly Part[]): Part {
  return (value, found) => {
    if (!Array.isArray(value) || value.length !== parts.length) return false;
    for (let i = 0; i < parts.length; i++) if (!parts[i]!(value[i], found)) return false;
    return true;
  };
}

function objectLike(keys: readonly string[], parts: readonly Part[]): Part {
  return (value, found) => {
    if (!isPlain(value)) return false;
    const others = Object.keys(value);
    if (others.length !== keys.length) return false;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (others[i] !== key || !parts[i]!(value[key], found)) return false;
    }
    return true;
  };
}

function constantLike(like: unknown): Part {
  return (value) => hasEntriesOf(value, like);
}

/** Whether a value that is no part of a tree is like another. */
function hasEntriesOf(value: unknown, like: unknown): boolean {
  if (Object.is(value, like)) return true;
  if (value instanceof Tensor || like instanceof Tensor) return false;
  if (typeof value !== "object" || value === null) return false;
  if (typeof like !== "object" || like === null) return false;
  const entries = Object.entries(value);
  const others = like as Record<string, unknown>;
  return (
    entries.length === Object.keys(others).length &&
    entries.every(([key, part]) => key in others && hasEntriesOf(part, others[key]))
  );
}
