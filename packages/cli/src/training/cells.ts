import { scope, type Tensor, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import * as cells from "@chronograd/rnn";
import { counted } from "../command/counted.ts";
import { UsageError } from "../command/errors.ts";
import { hintFor } from "../command/nearest.ts";
import { loadCell, type PlainCell, type Sizes } from "../modules/loadCell.ts";
import { parseSizes } from "../modules/sizes.ts";
import { checkMemory } from "./checkMemory.ts";
import { builtInCells, families } from "./families.ts";
import type { DecidedOptions } from "./options.ts";

/** A cell, and the length of its outputs. */
interface Layer {
  readonly cell: PlainCell;
  readonly output: number;
}

/** The options that cells are made by. */
export type CellOptions = Pick<DecidedOptions, "cell" | "size" | "export" | "hidden" | "layers">;

/** Whether a cell is named by a file. */
export const isFile = (cell: string): boolean => /[./\\]/.test(cell);

/**
 * The cells of a model, one above the other; the first reads rows of `input` numbers.
 *
 * Throws a `UsageError` for a cell that is none, and for one that does not fit.
 */
export async function layersOf(options: CellOptions, input: number): Promise<readonly Layer[]> {
  const layers: Layer[] = [];
  for (let i = 0; i < options.layers; i++) {
    const reads = layers.at(-1)?.output ?? input;
    const cell = await cellOf(options, reads);
    checkMemory(cell, `--hidden ${options.hidden}`);
    layers.push({ cell, output: outputOf(cell, options, reads, i) });
  }
  return layers;
}

/** A cell that reads rows of `input` numbers. */
async function cellOf(options: CellOptions, input: number): Promise<PlainCell> {
  const { cell, size, export: name, hidden } = options;
  const sizes = parseSizes(size);
  if (isFile(cell)) {
    const defaults = { input, hidden };
    return (await loadCell(cell, { sizes, defaults, export: name })).cell;
  }
  if (name !== undefined) {
    throw new UsageError(`--export names a cell of a file, and --cell is ${cell}; leave it out`);
  }
  const family = Object.hasOwn(families, cell)
    ? (families[cell] as (sizes: Sizes) => PlainCell)
    : undefined;
  if (family === undefined) {
    throw new UsageError(
      `--cell: there is no cell "${cell}"${hintFor(cell, builtInCells, ";")} expected ${builtInCells.join(", ")}, or a file such as ./my-cell.ts`,
    );
  }
  try {
    return family({ input, hidden, ...sizes });
  } catch (error) {
    throw new UsageError(
      `--cell ${cell}: ${(error as Error).message}; --size name=number gives a size`,
    );
  }
}

/** The length of the outputs of a cell, found by one step. */
function outputOf(cell: PlainCell, options: CellOptions, input: number, index: number): number {
  const where = options.layers === 1 ? "the cell" : `layer ${index + 1}`;
  return scope(() => {
    let output: unknown;
    try {
      const params = cells.initialParams(cell, rng(0)) as never;
      const state = cell.initial?.(params, 1) ?? cells.initialState(cell, 1);
      [output] = cell.step(params, zeros([1, input]), state as never);
    } catch (error) {
      throw new UsageError(
        `--cell ${options.cell}: ${where} does not read rows of ${counted(input, "number")}: ${(error as Error).message}`,
      );
    }
    const { shape } = Object(output) as Partial<Tensor>;
    if (shape?.length === 2 && shape[0] === 1) return shape[1]!;
    const got = shape === undefined ? typeof output : `[${shape}]`;
    throw new UsageError(
      `--cell ${options.cell}: ${where} must put out one row of numbers for each row, got ${got} for one row`,
    );
  });
}
