import { zeros } from "@chronograd/autodiff";
import { linear, rng } from "@chronograd/nn";
import fc, { type Arbitrary } from "fast-check";
import { initialParams, initialState } from "../../initial.ts";
import { sequential } from "../../models/sequential.ts";
import { type CellRow, cellTable, type SomeCell } from "../cell/cellTable.ts";

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
  readonly row: CellRow;
  readonly hidden: number;
}

/**
 * Random cells: those of this package, and two in sequence with a linear layer behind. They shrink
 * towards one small Elman cell.
 *
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { testCell } from "@chronograd/rnn/testing";
 * import { cells } from "@chronograd/rnn/testing/fast-check";
 *
 * fc.assert(
 *   fc.property(cells({ maxSize: 2 }), fc.nat(), ({ name, cell, input }, seed) => {
 *     testCell(cell, { name, input, seed, runs: 1 }).assert();
 *   }),
 *   { numRuns: 3, seed: 1 },
 * );
 * ```
 */
export function cells({ maxSize = 3, kinks = false }: CellsOptions = {}): Arbitrary<RandomCell> {
  const size = fc.integer({ min: 1, max: maxSize });
  const rows = cellTable().filter((row) => row.takesVectors && (kinks || !row.hasKinks));
  const part = fc.record({ row: fc.constantFrom(...rows), hidden: size });
  return fc
    .tuple(size, part, fc.option(fc.record({ second: part, outputs: size })))
    .map(([input, first, more]) => {
      const one = partOf(first, input);
      if (more === null) return one;
      const two = partOf(more.second, one.output);
      const head = linear({ input: two.output, output: more.outputs });
      const model = sequential({ first: one.cell, second: two.cell, head });
      const name = `sequential({ first: ${one.name}, second: ${two.name}, head: linear({ input: ${two.output}, output: ${more.outputs} }) })`;
      return described(name, model as unknown as SomeCell, input, more.outputs);
    });
}

function partOf({ row: { family, make, sizes: others }, hidden }: Part, input: number): RandomCell {
  const sizes = { input, hidden };
  const cell = make(sizes);
  const [output] = cell.step(initialParams(cell, rng(1)), zeros([1, input]), initialState(cell, 1));
  const name = `${family}(${text({ ...others, ...sizes })})`;
  return described(name, cell, input, output.shape[1]!);
}

/** Sizes as they are written in code. */
function text(sizes: object): string {
  const parts = Object.entries(sizes).map(([name, size]) => `${name}: ${JSON.stringify(size)}`);
  return `{ ${parts.join(", ")} }`;
}

function described(name: string, cell: SomeCell, input: number, output: number): RandomCell {
  const found = { name, cell, input, output };
  return Object.defineProperty(found, fc.toStringMethod, { value: () => name });
}
