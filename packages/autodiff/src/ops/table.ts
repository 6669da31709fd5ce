import * as activations from "./activations.ts";
import * as argReduce from "./argReduce.ts";
import * as arithmetic from "./arithmetic.ts";
import * as cast from "./cast.ts";
import * as compare from "./compare.ts";
import * as scan from "./cumulative.ts";
import type { CompositeDeclaration, Op, OpDeclaration } from "./declare.ts";
import * as detach from "./detach.ts";
import * as einsum from "./einsum.ts";
import * as elementwise from "./elementwise.ts";
import * as gru from "./gru.ts";
import * as indexing from "./indexing.ts";
import * as join from "./join.ts";
import * as layerNorm from "./layerNorm.ts";
import * as linalg from "./linalg.ts";
import * as logic from "./logic.ts";
import * as loss from "./loss.ts";
import * as lstm from "./lstm.ts";
import * as matmul from "./matmul.ts";
import * as oneHot from "./oneHot.ts";
import * as pad from "./pad.ts";
import * as reduce from "./reduce.ts";
import * as repeat from "./repeat.ts";
import * as select from "./select.ts";
import * as shape from "./shape.ts";
import * as slice from "./slice.ts";
import * as sort from "./sort.ts";
import * as statistics from "./statistics.ts";

/** Functions that are methods too; those that take a list or an equation first, and parts of cells and layers, are not. */
export type Methods = typeof elementwise &
  typeof activations &
  typeof arithmetic &
  typeof compare &
  typeof select &
  typeof logic &
  Omit<typeof reduce, "sumTo" | "reduceSamples" | "keptDims"> &
  typeof statistics &
  typeof scan &
  typeof argReduce &
  typeof matmul &
  typeof linalg &
  typeof shape &
  Omit<typeof join, "concat" | "stack"> &
  typeof slice &
  typeof pad &
  Omit<typeof indexing, "lookUp" | "gatherFlat"> &
  Omit<typeof oneHot, "labelled"> &
  typeof repeat &
  typeof sort &
  typeof loss &
  typeof cast &
  typeof detach;

/** One row of the op table. */
export interface Row {
  readonly name: string;
  /** The file of its declaration. */
  readonly family: string;
  readonly declaration: OpDeclaration | CompositeDeclaration;
}

/** Every family of ops, with what it exports. */
function families(): [family: string, members: object][] {
  return Object.entries({
    elementwise,
    activations,
    arithmetic,
    compare,
    logic,
    select,
    reduce,
    statistics,
    scan,
    argReduce,
    matmul,
    linalg,
    einsum,
    shape,
    join,
    slice,
    pad,
    indexing,
    oneHot,
    repeat,
    sort,
    loss,
    lstm,
    gru,
    layerNorm,
    cast,
  });
}

function isOp(value: unknown): value is Op<(...args: never[]) => unknown> {
  return typeof value === "function" && "declaration" in value;
}

/**
 * Every declared op: the single source of the public functions, the methods, the tests and the pages.
 *
 * @example
 * ```ts
 * import { opTable } from "@chronograd/autodiff/extend";
 *
 * const rows = opTable();
 * rows.find(({ name }) => name === "tanh")?.family; // => "elementwise"
 * ```
 */
export function opTable(): Row[] {
  return families().flatMap(([family, members]) =>
    Object.entries(members).flatMap(([name, member]) =>
      isOp(member) ? [{ name, family, declaration: member.declaration }] : [],
    ),
  );
}

/** The functions that become methods, by name. @internal */
export function methods(): [name: string, call: (...args: unknown[]) => unknown][] {
  const notMethods = new Set(["concat", "stack", "einsum"]);
  const parts = new Set(["lstm", "gru", "layerNorm"]);
  const rows = families()
    .filter(([family]) => !parts.has(family))
    .flatMap(([, members]) => Object.entries(members))
    .filter(([name, member]) => isOp(member) && !notMethods.has(name));
  return [...rows, ["detach", detach.detach]] as unknown as ReturnType<typeof methods>;
}
