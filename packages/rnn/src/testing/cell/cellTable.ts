import { isTensor, scope, Tape, type Tensor, tensor } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import { type Cell, definitionOf } from "../../cell.ts";
import * as builtIn from "../../cells/index.ts";
import { initialParams, initialState } from "../../initial.ts";
import { familyOf } from "./family.ts";

/** A cell from vectors to vectors, whose parameters and states are some trees or other. */
export type SomeCell = Cell<Record<string, never>, Record<string, never>>;

/** Sizes and options of a cell by name. */
type Sizes = Readonly<Record<string, number | string>>;

/** A built-in cell, with what tests need to know of it. */
export interface CellRow {
  /** `"elman"`, or `"elman with relu"` for a choice that is not the first. */
  readonly name: string;
  /** The function that makes such cells: `"elman"`. */
  readonly family: string;
  /** Small sizes, and the option chosen. */
  readonly sizes: Sizes;
  /** Whether it maps vectors `[B, input]` to vectors: such a cell may have other sizes. */
  readonly takesVectors: boolean;
  /** Whether these are `[B, hidden]`. */
  readonly isVector: boolean;
  /** Whether a step uses an op whose derivative jumps. */
  readonly hasKinks: boolean;
  /** Makes the cell; sizes that are not given are those of the row. */
  make(sizes?: Sizes): SomeCell;
  /** Draws an input, float64, for the sizes of the row. */
  input(random: Rng, batch: number): Tensor;
}

type Families = Readonly<Record<string, unknown>>;

/**
 * The built-in cells, one row for each choice of options: what every test of cells walks.
 *
 * @param families functions made by `defineCell`, by name; those of this package unless given
 *
 * @example
 * ```ts
 * import { cellTable, testCell } from "@chronograd/rnn/testing";
 *
 * const row = cellTable().find(({ name }) => name === "elman with relu")!;
 * row.hasKinks; // => true
 * testCell(row.make({ input: 1, hidden: 2 }), { runs: 1 }).ok; // => true
 * ```
 */
export function cellTable(families: Families = builtIn): CellRow[] {
  return Object.entries(families).flatMap(([name, family]) => rowsOf(name, family as object));
}

function rowsOf(family: string, make: object): CellRow[] {
  const described = familyOf(make);
  if (described === undefined) {
    throw new TypeError(`cellTable: ${family} must be made by defineCell, got ${typeof make}`);
  }
  const { choices } = described;
  const options = Object.entries(choices).flatMap(([option, words]) =>
    words.slice(1).map((word) => ({ [option]: word })),
  );
  return [{}, ...options].map((option: Sizes): CellRow => {
    const sizes: Sizes = { ...described.sizes, ...option };
    const chosen = Object.values(option).map((word) => ` with ${word}`);
    const vectors = (random: Rng, batch: number): Tensor => {
      const shape = [batch, sizes.input as number];
      const elements = { length: batch * shape[1]! };
      return tensor(
        Float64Array.from(elements, () => random.normal()),
        { shape },
      );
    };
    const row = {
      name: `${family}${chosen.join("")}`,
      family,
      sizes,
      make: (given: Sizes = {}) => (make as (sizes: Sizes) => SomeCell)({ ...sizes, ...given }),
      input: described.input ?? vectors,
    };
    if (row.input === vectors && typeof sizes.input !== "number") {
      throw exampleError(family, "it has no size input");
    }
    const { shape, hasKinks } = firstOf(row, definitionOf(make)?.example !== undefined);
    const takesVectors = row.input === vectors && shape?.length === 2;
    const isVector = takesVectors && shape[1] === sizes.hidden;
    return { ...row, takesVectors, isVector, hasKinks };
  });
}

function firstOf(
  { family, make, input }: Pick<CellRow, "family" | "make" | "input">,
  hasExample: boolean,
): ReturnType<typeof recorded> {
  try {
    return recorded(make(), input);
  } catch (cause) {
    if (hasExample || !(cause instanceof Error)) throw cause;
    throw exampleError(family, cause.message, cause);
  }
}

function exampleError(family: string, why: string, cause?: unknown): TypeError {
  return new TypeError(
    `cellTable: ${family} needs an example, { sizes: { ... }, input: (random, batch) => ... }, in its definition: ${why}`,
    { cause },
  );
}

/**
 * What a step on a tape shows: the shape of the output where it is one tensor, and whether an op
 * has kinks.
 */
function recorded(
  cell: SomeCell,
  input: CellRow["input"],
): { readonly shape: readonly number[] | undefined; readonly hasKinks: boolean } {
  const tape = new Tape();
  return scope(() => {
    const params = tape.watch(initialParams(cell, rng(1), { dtype: "float64" }));
    const state = initialState({ state: cell.state }, 1, { dtype: "float64" });
    const [output] = cell.step(params, input(rng(1), 1), state);
    const ops = Array.from({ length: tape.position - tape.base }, (_, i) => {
      return tape.entries.at(tape.base + i).declaration;
    });
    const shape = isTensor(output) ? output.shape : undefined;
    return { shape, hasKinks: ops.some(({ kinks = [] }) => kinks.length > 0) };
  });
}
