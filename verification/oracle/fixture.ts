import { readFileSync } from "node:fs";
import { type Tensor, tensor } from "@chronograd/autodiff";

/** A number of a fixture; JSON has no infinities. */
export type Written = number | "Infinity" | "-Infinity" | "NaN";

/** Elements in row-major order. */
export interface Elements {
  readonly shape: readonly number[];
  readonly values: readonly Written[];
}

/** An argument of a call: "$x" means the input of that name. */
export type Argument =
  | number
  | string
  | boolean
  | null
  | readonly Argument[]
  | { readonly [name: string]: Argument };

/** One call: inputs, outputs, cotangents and gradients. */
export interface Case {
  readonly label: string;
  readonly call: string;
  /** The inputs in turn, unless given. */
  readonly args?: readonly Argument[];
  /** Errors count by each number's own size, however small it is. */
  readonly relative?: true;
  readonly inputs: Readonly<
    Record<string, Elements & { readonly integers?: true; readonly gradient?: readonly Written[] }>
  >;
  readonly outputs: Readonly<
    Record<string, Elements & { readonly cotangent?: readonly Written[] }>
  >;
}

/** A file of `fixtures/`, with the version of PyTorch that made it. */
export interface Fixture<C> {
  readonly torch: string;
  readonly cases: readonly C[];
}

/** What `pytorch.py` wrote for a family. */
export function fixture<C = Case>(family: string): Fixture<C> {
  const file = new URL(`./fixtures/${family}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Fixture<C>;
}

/** A float64 tensor of elements as written, or an int32 one. */
export function read({ shape, values }: Elements, integers = false): Tensor {
  return tensor(Float64Array.from(values, Number), {
    shape,
    dtype: integers ? "int32" : "float64",
  });
}

/** A tree of tensors from elements by path: `{ "lstm.W": ... }` becomes `{ lstm: { W } }`. */
export function readTree(named: Readonly<Record<string, Elements>>): Record<string, unknown> {
  return nest(Object.fromEntries(Object.entries(named).map(([path, x]) => [path, read(x)])));
}

/** A nested tree from leaves by path. */
export function nest(leaves: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, leaf] of Object.entries(leaves)) {
    const keys = path.split(".");
    const last = keys.pop()!;
    let at = root;
    for (const key of keys) {
      at[key] ??= {};
      at = at[key] as Record<string, unknown>;
    }
    at[last] = leaf;
  }
  return root;
}
