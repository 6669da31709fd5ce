import type { CompositeDeclaration, Op, OpDeclaration } from "./declare.ts";
import * as internal from "./internal.ts";
import * as families from "./public.ts";

/** One row of the op table. */
export interface Row {
  readonly name: string;
  readonly declaration: OpDeclaration | CompositeDeclaration;
}

type AnyOp = Op<(...args: unknown[]) => unknown>;

function isOp(entry: [string, unknown]): entry is [name: string, op: AnyOp] {
  return typeof entry[1] === "function" && "declaration" in entry[1];
}

/**
 * Every declared op: the single source of the public functions, the methods, the tests and the
 * pages.
 *
 * @example
 * ```ts
 * import { opTable } from "@chronograd/autodiff/extend";
 *
 * const tanh = opTable().find(({ name }) => name === "tanh");
 * tanh?.declaration.samples.map(({ label }) => label); // => ["[3]", "[2,3]", "[]", "[0]"]
 * ```
 */
export function opTable(): Row[] {
  return Object.entries<unknown>({ ...families, ...internal })
    .filter(isOp)
    .map(([name, { declaration }]) => ({ name, declaration }));
}

/** The ops that become methods, by name. @internal */
export function methods(): [name: string, call: (...args: unknown[]) => unknown][] {
  return Object.entries<unknown>(families)
    .filter(isOp)
    .filter(([, { declaration }]) => !("method" in declaration));
}
