import { Tensor } from "@chronograd/autodiff";
import { checkAlive } from "@chronograd/autodiff/internal";

/** A tree as text and tensors. */
export interface Apart {
  /** Structure and plain values, as JSON with a mark where each tensor stands. */
  readonly text: string;
  /** Tensors by path. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** Numbers that JSON has not. */
const isMarked = (value: number) => !Number.isFinite(value) || Object.is(value, -0);

/**
 * Takes a tree apart. JSON holds its plain values, exactly; a number that JSON has not stands there
 * as `{ "$number": "-0" }`, a tensor as `{ "$tensor": path }`, and keys that begin with `$` get
 * one more.
 *
 * @param where the function that a sentence names
 * @throws for whatever would not come back as it is, with its path
 */
export function takeApart(values: unknown, where: string): Apart {
  const tensors = new Map<string, Tensor>();
  const around = new Set<object>();
  const visit = (value: unknown, path: string, isRoot: boolean): unknown => {
    const fail = (what: string, wayOut: string): never => {
      const at = isRoot ? "the tree" : `the value at ${JSON.stringify(path)}`;
      throw new TypeError(`${where}: ${at} ${what}; ${wayOut}`);
    };
    if (typeof value === "number") return isMarked(value) ? { $number: marked(value) } : value;
    if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
    if (value instanceof Tensor) {
      checkAlive(value, where, () => `the tensor at ${JSON.stringify(path)}`);
      if (value.tape !== null)
        fail("is tracked by a tape", "save what the tape watched, or x.detach()");
      checkName(path, fail);
      if (tensors.has(path))
        fail("has the path of another tensor", 'rename a key that holds a "."');
      tensors.set(path, value);
      return { $tensor: path };
    }
    if (typeof value !== "object") {
      if (value === undefined) fail("is undefined", "leave its key out, or write null");
      fail(
        `is a ${typeof value}`,
        typeof value === "bigint" ? "write it as a string" : "leave it out, and make it again",
      );
    }
    const object = value as object;
    const isArray = Array.isArray(object);
    if (ArrayBuffer.isView(object))
      fail(`is a ${object.constructor.name}`, "write tensor(x), or Array.from(x)");
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== (isArray ? Array.prototype : Object.prototype) && prototype !== null) {
      const name = object.constructor?.name ?? "a class";
      fail(`is an instance of ${name}`, "write what it holds, as plain objects and arrays");
    }
    if (around.has(object)) fail("holds itself", "write each value once");
    const keys = Object.keys(object);
    if (isArray && keys.length > object.length)
      fail(`is an array with the key ${JSON.stringify(keys.at(-1))}`, "write an object");
    if (Object.getOwnPropertySymbols(object).length > 0)
      fail("has a symbol as a key", "name it by a string");
    around.add(object);
    const below = (key: string | number) => (isRoot ? `${key}` : `${path}.${key}`);
    const parts = isArray
      ? Array.from(object, (part, i) => visit(part, below(i), false))
      : Object.fromEntries(
          Object.entries(object).map(([key, part]) => [
            key.startsWith("$") ? `$${key}` : key,
            visit(part, below(key), false),
          ]),
        );
    around.delete(object);
    return parts;
  };
  const text = JSON.stringify(visit(values, "", true));
  return { text, tensors: Object.fromEntries(tensors) };
}

function marked(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Throws unless a tensor can have this name in a safetensors file. */
function checkName(path: string, fail: (what: string, wayOut: string) => never): void {
  if (path === "") fail("is a tensor without a name", "put it into an object, as { W: tensor }");
  if (path === "__metadata__") fail("has a name that files keep for themselves", "rename it");
  if (!path.isWellFormed())
    fail("has half a character, a lone surrogate, in its path", "rename it");
}

/** The tree that was taken apart, with `leaf(path)` where its tensors were. */
export function putTogether(text: string, leaf: (path: string) => unknown): unknown {
  const visit = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(visit);
    const entries = Object.entries(value);
    const [key, of] = entries[0] ?? [];
    if (key === "$number") return Number(of);
    if (key === "$tensor") return leaf(of as string);
    return Object.fromEntries(
      entries.map(([key, part]) => [key.startsWith("$") ? key.slice(1) : key, visit(part)]),
    );
  };
  return visit(JSON.parse(text));
}
