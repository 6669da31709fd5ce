import { linear } from "@chronograd/nn";
import fc, { type Arbitrary } from "fast-check";
import type { Cell } from "../../cell.ts";
import { elman } from "../../cells/elman.ts";
import { gru, gruResetBefore } from "../../cells/gru.ts";
import { lstm } from "../../cells/lstm.ts";
import { sequential } from "../../sequential.ts";
import { composed, type Recipe, recipes } from "./composed.ts";

/** A cell whose parameters and states are some trees or other. */
type SomeCell = Cell<Record<string, never>, Record<string, never>>;

/** A random cell from vectors to vectors, with its sizes. */
export interface RandomCell {
  /** How it is made. */
  readonly name: string;
  readonly cell: SomeCell;
  /** Columns of its input. */
  readonly input: number;
  /** Columns of its output. */
  readonly output: number;
}

/** Which cells to make. */
export interface CellsOptions {
  /** Largest number of columns of inputs and states; 3 unless given. */
  readonly maxSize?: number;
  /** Also cells with relu, whose derivative jumps; false unless given. */
  readonly kinks?: boolean;
}

/** One cell of a chain, before its input is known. */
interface Part {
  readonly family: keyof typeof families | Recipe;
  readonly hidden: number;
}

const families = {
  elman,
  "elman with relu": (sizes: { readonly input: number; readonly hidden: number }) =>
    elman({ ...sizes, activation: "relu" }),
  gru,
  gruResetBefore,
  lstm,
};

/**
 * Random cells: those of this package, cells composed of random gates and products, and two in sequence with a linear
 * layer behind. They shrink towards one small Elman cell.
 *
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { testCell } from "@chronograd/rnn/testing";
 * import { cells } from "@chronograd/rnn/testing/fast-check";
 *
 * fc.assert(
 *   fc.property(cells(), fc.nat(), ({ name, cell, input }, seed) => {
 *     testCell(cell, { name, input, seed, runs: 1 }).assert();
 *   }),
 *   { numRuns: 3 },
 * );
 * ```
 */
export function cells({ maxSize = 3, kinks = false }: CellsOptions = {}): Arbitrary<RandomCell> {
  const size = fc.integer({ min: 1, max: maxSize });
  const names = Object.keys(families) as (keyof typeof families)[];
  const family = fc.oneof(
    { withCrossShrink: true },
    fc.constantFrom(...names.filter((name) => kinks || name !== "elman with relu")),
    recipes(),
  );
  const part = fc.record({ family, hidden: size });
  return fc
    .tuple(size, part, fc.option(fc.record({ second: part, outputs: size })))
    .map(([input, first, more]) => {
      const one = partOf(first, input);
      if (more === null) return described(one.name, one.cell, input, first.hidden);
      const two = partOf(more.second, first.hidden);
      const head = linear({ input: more.second.hidden, output: more.outputs });
      const model = sequential({ first: one.cell, second: two.cell, head });
      const name = `sequential({ first: ${one.name}, second: ${two.name}, head: linear({ input: ${more.second.hidden}, output: ${more.outputs} }) })`;
      return described(name, model as unknown as SomeCell, input, more.outputs);
    });
}

function partOf({ family, hidden }: Part, input: number): { name: string; cell: SomeCell } {
  const sizes = { input, hidden };
  if (typeof family !== "string") {
    const { says, cell } = composed(family, sizes);
    return {
      name: `${says} ({ input: ${input}, hidden: ${hidden} })`,
      cell: cell as unknown as SomeCell,
    };
  }
  const activation = family === "elman with relu" ? ', activation: "relu"' : "";
  return {
    name: `${family.split(" ")[0]}({ input: ${input}, hidden: ${hidden}${activation} })`,
    cell: families[family](sizes) as unknown as SomeCell,
  };
}

function described(name: string, cell: SomeCell, input: number, output: number): RandomCell {
  const found = { name, cell, input, output };
  return Object.defineProperty(found, fc.toStringMethod, { value: () => name });
}
