import type { Cell } from "@chronograd/rnn";
import { type FamilyDescription, familyOf } from "@chronograd/rnn/testing";
import { UsageError } from "../command/errors.ts";
import { loadModule } from "./loadModule.ts";

/** Sizes and options of a cell by name. */
export type Sizes = Readonly<Record<string, number | string>>;

/** A cell without its types. */
export type PlainCell = Cell<unknown, unknown, unknown, unknown>;

/** A cell of a user's file. */
export interface LoadedCell {
  /** `"my-cell.ts"`, with the name of the export where the file has several cells. */
  readonly name: string;
  readonly cell: PlainCell;
  /** The sizes that it was made with; none where the file exports a cell. */
  readonly sizes: Sizes;
  /** What the definition says, where the file exports a family of cells. */
  readonly family?: FamilyDescription;
  /** All that the file exports. */
  readonly exports: Readonly<Record<string, unknown>>;
}

/** What `loadCell` is told. */
export interface LoadCellOptions {
  /** Which sizes and options the cell is to have. */
  readonly sizes?: Sizes;
  /** Sizes where none are given, for a family that takes them. */
  readonly defaults?: Sizes;
  /** The name of the export; the default export, or the only cell, unless given. */
  readonly export?: string | undefined;
}

const expected =
  "expected a cell, or what defineCell returns, as the default export or the only one of its kind";

/**
 * The cell of a user's file: its default export, or the only export that is a cell or makes one. A
 * function is called with the sizes.
 *
 * Throws a `UsageError` where the file cannot be loaded, exports no cell or several, and where the
 * sizes do not fit.
 */
export async function loadCell(path: string, options: LoadCellOptions = {}): Promise<LoadedCell> {
  const { sizes = {}, defaults } = options;
  const exports = await loadModule(path);
  const key = options.export ?? exportOf(path, exports);
  const found = exports[key];
  const name = key === "default" ? path : `${path}#${key}`;
  if (isCell(found)) {
    if (Object.keys(sizes).length === 0) return { name, cell: found, sizes: {}, exports };
    throw new UsageError(
      `${name} exports a cell, which has its sizes; leave out ${Object.keys(sizes).join(", ")}, or export what defineCell returns`,
    );
  }
  if (typeof Object(found).unroll === "function") {
    throw new UsageError(
      `${name} exports a model of whole sequences, as bidirectional makes one, which has no step; name the cells that it is made of`,
    );
  }
  if (typeof found !== "function") {
    throw new UsageError(`${path} exports no cell as ${key}: ${expected}, got ${listed(exports)}`);
  }
  const family = familyOf(found);
  const given = { ...defaultsFor(family, defaults, sizes), ...sizes };
  const cell = made(path, key, found as (sizes: Sizes) => unknown, given);
  return { name, cell, sizes: given, ...(family && { family }), exports };
}

/** Small sizes, for a cell that is only looked at. */
const small: Sizes = { input: 3, hidden: 5 };

/** The sizes to take where none are given. */
function defaultsFor(
  family: FamilyDescription | undefined,
  defaults: Sizes | undefined,
  given: Sizes,
): Sizes {
  // An example of an input fits the sizes that it comes with.
  const wanted = defaults ?? (family?.input ? family.sizes : small);
  const options = { ...family?.choices, ...family?.numbers };
  const isNamedOtherwise = Object.keys(given).some((key) => !(key in wanted) && !(key in options));
  if (!family?.isListed) return isNamedOtherwise ? {} : { ...family?.sizes, ...wanted };
  const known = Object.entries(wanted).filter(([key]) => key in family.sizes);
  return { ...family.sizes, ...Object.fromEntries(known) };
}

/** What a function of the file makes of sizes. */
function made(path: string, key: string, make: (sizes: Sizes) => unknown, sizes: Sizes): PlainCell {
  let cell: unknown;
  try {
    cell = make(sizes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${path}: no cell could be made with ${sizesText(sizes)}: ${why}; --size name=number gives a size`,
    );
  }
  if (isCell(cell)) return cell;
  const what = Object(cell).then === undefined ? typeof cell : "a promise";
  throw new UsageError(`${path}: ${key}(${sizesText(sizes)}) returned ${what}; ${expected}`);
}

/** The name of the export that is meant. */
function exportOf(path: string, exports: Readonly<Record<string, unknown>>): string {
  if ("default" in exports) return "default";
  const names = Object.keys(exports);
  const sure = names.filter((key) => isCell(exports[key]) || familyOf(exports[key]));
  const candidates =
    sure.length > 0 ? sure : names.filter((key) => typeof exports[key] === "function");
  if (candidates.length === 1) return candidates[0]!;
  const several = `${path} exports ${candidates.length} cells, ${candidates.join(", ")}; say which one with --export ${candidates[0]}, or make one the default export`;
  throw new UsageError(
    candidates.length > 1
      ? several
      : `${path} exports no cell: ${expected}, got ${listed(exports)}`,
  );
}

function isCell(value: unknown): value is PlainCell {
  const { params, state, step } = Object(value) as Partial<PlainCell>;
  return typeof step === "function" && params !== undefined && state !== undefined;
}

function listed(exports: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(exports).map(
    ([key, value]) => `${key} (${value === null ? "null" : typeof value})`,
  );
  return parts.length === 0 ? "no exports" : parts.join(", ");
}

/** Sizes as they are written in code. */
export function sizesText(sizes: Sizes): string {
  const parts = Object.entries(sizes).map(([key, size]) => `${key}: ${JSON.stringify(size)}`);
  return parts.length === 0 ? "" : `{ ${parts.join(", ")} }`;
}
