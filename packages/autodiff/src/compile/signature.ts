import { Tensor } from "../tensor/tensor.ts";

/**
 * Structure, dtypes and shapes of the tensors among the arguments, which of them are one and the
 * same, and the value of everything else.
 */
export function signatureOf(where: string, args: readonly unknown[]): string {
  const parts: string[] = [];
  const places = new Map<Tensor, string>();
  const visit = (value: unknown, path: string): void => {
    if (value instanceof Tensor) {
      const other = places.get(value);
      if (other === undefined) places.set(value, path);
      parts.push(`${path} ${other ?? `${value.dtype} [${value.shape}]`}`);
    } else if (typeof value === "object" && value !== null) {
      const prototype: unknown = Object.getPrototypeOf(value);
      const isArray = Array.isArray(value);
      if (!isArray && prototype !== Object.prototype && prototype !== null) {
        throw new TypeError(
          `${where}: the argument at "${path}" is an instance of ${value.constructor.name}, expected tensors, numbers and strings in plain objects and arrays`,
        );
      }
      const entries = Object.entries(value);
      if (entries.length === 0 || isArray)
        parts.push(`${path} ${isArray ? `[${value.length}]` : "{}"}`);
      // A name that looks like a path is quoted, so that two trees never have one signature.
      for (const [key, part] of entries) {
        const name = /^\w+$/.test(key) ? key : JSON.stringify(key);
        visit(part, path === "" ? name : `${path}.${name}`);
      }
    } else if (typeof value === "function" || typeof value === "symbol") {
      throw new TypeError(
        `${where}: the argument at "${path}" is a ${typeof value}, expected tensors, numbers and strings in plain objects and arrays`,
      );
    } else parts.push(`${path} ${literal(value)}`);
  };
  for (const [i, arg] of args.entries()) visit(arg, String(i));
  return parts.join(", ");
}

/** A value as it is written in code. */
function literal(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
}
