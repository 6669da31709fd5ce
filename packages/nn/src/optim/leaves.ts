import { isTensor, type Tensor } from "@chronograd/autodiff";
import { areApart, checkAlive, describeType, isLike } from "@chronograd/autodiff/internal";

/** A float parameter, what stands at its place in the other trees, and where that is. */
export interface Leaf {
  readonly path: string;
  readonly w: Tensor;
  readonly g: Tensor;
  /** By the order of the moments given. */
  readonly moments: readonly Tensor[];
}

/** Trees that are traversed in step, and their names for sentences. */
export interface Trees {
  readonly params: unknown;
  readonly gradients: unknown;
  readonly moments: Readonly<Record<string, unknown>>;
}

/** A path for an error message. */
export function quote(path: string): string {
  return path === "" ? "the parameter" : `"${path}"`;
}

/** What to do about a state that does not fit. */
export const passState = "pass what init(params), or the update before, returned";

/** True for the objects and arrays of a tree. */
export function isBranch(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

/**
 * Every float parameter with its gradient and moments, or a thrown sentence that names the first
 * misfit.
 *
 * @param noun what the trees beside the parameters hold
 */
export function leavesOf(
  { params, gradients, moments }: Trees,
  where: string,
  noun: "gradient" | "update" = "gradient",
): Leaf[] {
  const names = Object.keys(moments);
  const leaves: Leaf[] = [];
  const seen = new Map<Tensor, string>();
  const visit = (w: unknown, g: unknown, own: readonly unknown[], path: string): void => {
    if (isTensor(w)) {
      if (w.dtype !== "int32") leaves.push(leafOf(w, g, own, path));
      return;
    }
    const keys = isBranch(w) ? Object.keys(w) : [];
    if (isTensor(g)) throw strange(path);
    const first = firstBeside(g, keys, path);
    if (first !== undefined) throw strange(first);
    own.forEach((moment, i) => {
      const gone = isTensor(moment) ? path : firstBeside(moment, keys, path);
      if (gone === undefined) return;
      throw new TypeError(
        `${where}: the state has ${names[i]} at ${quote(gone)} and params have no such value; ${passState}`,
      );
    });
    for (const key of keys) {
      const below = path === "" ? key : `${path}.${key}`;
      const at = (tree: unknown) => (isBranch(tree) ? tree[key] : undefined);
      visit(at(w), at(g), own.map(at), below);
    }
  };
  const leafOf = (w: Tensor, g: unknown, own: readonly unknown[], path: string): Leaf => {
    checkAlive(w, where, quote(path));
    const other = seen.get(w);
    if (other !== undefined) {
      throw new TypeError(
        `${where}: one tensor stands at ${quote(other)} and at ${quote(path)}; keep a shared parameter in one place and use it twice`,
      );
    }
    seen.set(w, path);
    if (!isTensor(g)) {
      throw new TypeError(
        `${where}: there is no ${noun} for ${quote(path)}; ${noun}s must have the structure of params${noun === "gradient" ? ", as tape.gradient(loss, watched) gives them" : ""}`,
      );
    }
    if (!isLike(g, w)) {
      throw new RangeError(
        `${where}: ${quote(path)} is ${describeType(w)} and its ${noun} ${describeType(g)}; both must have one shape and dtype`,
      );
    }
    if (areApart(g.backend, w.backend)) {
      throw new TypeError(`${where}: ${quote(path)} and its ${noun} belong to different backends`);
    }
    checkAlive(g, where, `the ${noun} of ${quote(path)}`);
    own.forEach((moment, i) => {
      checkMoment(moment, w, names[i]!, path);
    });
    return { path, w, g, moments: own as readonly Tensor[] };
  };
  const checkMoment = (moment: unknown, w: Tensor, name: string, path: string): void => {
    const of = path === "" ? "" : ` of "${path}"`;
    if (isTensor(moment) && isLike(moment, w) && !areApart(moment.backend, w.backend)) {
      return checkAlive(moment, where, `the state's ${name}${of}`);
    }
    const got = isTensor(moment)
      ? describeType(moment)
      : moment === undefined
        ? "nothing"
        : typeof moment;
    throw new TypeError(
      `${where}: the state's ${name}${of} must be ${describeType(w)} like the parameter, on its backend, got ${got}; ${passState}`,
    );
  };
  const strange = (path: string) =>
    new TypeError(
      `${where}: there is ${noun === "update" ? "an" : "a"} ${noun} at ${quote(path)} and no parameter; ${noun}s must have the structure of params`,
    );
  visit(params, gradients, Object.values(moments), "");
  return leaves;
}

/** Where a branch has a tensor under none of `keys`. */
function firstBeside(value: unknown, keys: readonly string[], path: string): string | undefined {
  if (!isBranch(value)) return undefined;
  for (const key in value) {
    if (keys.includes(key)) continue;
    const first = firstLeaf(value[key], path === "" ? key : `${path}.${key}`);
    if (first !== undefined) return first;
  }
  return undefined;
}

function firstLeaf(value: unknown, path: string): string | undefined {
  if (isTensor(value)) return path;
  if (!isBranch(value)) return undefined;
  for (const [key, part] of Object.entries(value)) {
    const found = firstLeaf(part, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * A tree with the float tensors replaced, in the order in which they are met along `like`; the rest
 * stays.
 */
export function refilled(tree: unknown, values: readonly Tensor[], like: unknown): unknown {
  let at = 0;
  const visit = (value: unknown, w: unknown): unknown => {
    if (isTensor(w)) return w.dtype === "int32" ? value : values[at++];
    if (!isBranch(w) || !isBranch(value)) return value;
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    for (const key of Object.keys(copy)) copy[key] = visit(value[key], w[key]);
    return copy;
  };
  return visit(tree, like);
}
