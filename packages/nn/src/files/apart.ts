import { Tensor } from "@chronograd/autodiff";
import { checkAlive } from "@chronograd/autodiff/internal";

/** A tree as text and tensors. */
export interface Apart {
  /** Structure and plain values, as JSON with a mark where each tensor stands. */
  readonly text: string;
  /** Tensors by path. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** How many objects may stand in each other, far less than the stack has room for. */
const deepest = 500;

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
  const visit = (value: unknown, path: string): unknown => {
    const refuse = (objection: Objection | undefined): void => {
      if (objection === undefined) return;
      const at = around.size === 0 ? "the tree" : `the value at ${JSON.stringify(path)}`;
      throw new TypeError(`${where}: ${at} ${objection[0]}; ${objection[1]}`);
    };
    if (value instanceof Tensor) {
      checkAlive(value, where, () => `the tensor at ${JSON.stringify(path)}`);
      refuse(toTensor(value, path, tensors));
      tensors.set(path, value);
      return { $tensor: path };
    }
    if (typeof value === "number") return isMarked(value) ? { $number: marked(value) } : value;
    if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
    refuse(toValue(value));
    const object = value as object;
    if (around.has(object)) refuse(["holds itself", "write each value once"]);
    if (around.size === deepest) refuse([`is below ${deepest} others`, "write a list"]);
    const above = around.size === 0 ? "" : `${path}.`;
    around.add(object);
    const parts = Array.isArray(object)
      ? Array.from(object, (part, i) => visit(part, `${above}${i}`))
      : Object.fromEntries(
          Object.entries(object).map(([key, part]) => [
            key.startsWith("$") ? `$${key}` : key,
            visit(part, above + key),
          ]),
        );
    around.delete(object);
    return parts;
  };
  const text = JSON.stringify(visit(values, ""));
  return { text, tensors: Object.fromEntries(tensors) };
}

/** Why a value is refused, and a way out. */
type Objection = readonly [what: string, wayOut: string];

function toTensor(x: Tensor, path: string, others: Map<string, Tensor>): Objection | undefined {
  if (x.tape !== null) return ["is tracked by a tape", "save what the tape watched, or x.detach()"];
  if (path === "") return ["is a tensor without a name", "put it into an object, as { W: tensor }"];
  if (path === "__metadata__") return ["has a name that files keep for themselves", "rename it"];
  if (!path.isWellFormed())
    return ["has half a character, a lone surrogate, in its path", "rename it"];
  if (others.has(path)) return ["has the path of another tensor", 'rename a key that holds a "."'];
  return undefined;
}

/** To what is neither a tensor nor a plain value. */
function toValue(value: unknown): Objection | undefined {
  if (value === undefined) return ["is undefined", "leave its key out, or write null"];
  if (typeof value === "bigint") return ["is a bigint", "write it as a string"];
  if (typeof value !== "object" || value === null)
    return [`is a ${typeof value}`, "leave it out, and make it again"];
  const isArray = Array.isArray(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== (isArray ? Array.prototype : Object.prototype) && prototype !== null) {
    const name = value.constructor?.name ?? "a class";
    return ArrayBuffer.isView(value)
      ? [`is a ${name}`, "write tensor(x), or Array.from(x)"]
      : [`is an instance of ${name}`, "write what it holds, as plain objects and arrays"];
  }
  const keys = Object.keys(value);
  if (isArray && keys.length > value.length)
    return [`is an array with the key ${JSON.stringify(keys.at(-1))}`, "write an object"];
  if (Object.getOwnPropertySymbols(value).length > 0)
    return ["has a symbol as a key", "name it by a string"];
  return undefined;
}

function marked(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
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
