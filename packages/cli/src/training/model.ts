import { scope, type Tensor, tree } from "@chronograd/autodiff";
import { embedding, linear, rng } from "@chronograd/nn";
import { initialParams, sequential } from "@chronograd/rnn";
import { UsageError } from "../command/errors.ts";
import type { PlainCell } from "../modules/loadCell.ts";
import { type CellOptions, layersOf } from "./cells.ts";
import type { Interface } from "./task.ts";

/** The longest row that stands for a token. */
const widest = 128;

/**
 * A model: an embedding where it reads tokens, the cells, and a linear map to its outputs.
 *
 * Throws a `UsageError` for a cell that is none, and for one that does not fit.
 *
 * @example
 * ```ts
 * import { countParameters, rng } from "@chronograd/nn";
 * import { initialParams } from "@chronograd/rnn";
 * import { modelOf } from "chronograd/training";
 *
 * const cell = { cell: "elman", size: ["activation=relu"], export: undefined, hidden: 5, layers: 1 };
 * const model = await modelOf(cell, { input: { size: 3 }, output: 2 });
 * const params = initialParams(model, rng(1)) as { head: { W: { shape: number[] } } };
 * params.head.W.shape; // => [5, 2]
 * // W [3, 5], U [5, 5] and b [5] of the cell; W [5, 2] and b [2] of the head.
 * countParameters(params as never); // => 57
 * ```
 */
export async function modelOf(
  options: CellOptions,
  { input, output }: Interface,
): Promise<PlainCell> {
  const isTokens = "tokens" in input;
  const width = isTokens ? Math.max(2, Math.min(widest, options.hidden >> 1)) : input.size;
  const layers = await layersOf(options, width);
  const named = layers.map(({ cell }, i) => [layers.length === 1 ? "cell" : `cell${i + 1}`, cell]);
  return sequential({
    ...(isTokens && { embedding: embedding({ input: input.tokens, output: width }) }),
    ...(Object.fromEntries(named) as Record<string, never>),
    ...(output !== undefined && {
      head: linear({ input: layers.at(-1)!.output, output }),
    }),
  }) as unknown as PlainCell;
}

/**
 * The model of a run, for its parameters. Throws a `UsageError` where the cell is another one than
 * that which was trained: the user's file may have changed.
 */
export async function trainedModel(
  run: string,
  options: CellOptions,
  shape: Interface,
  params: unknown,
): Promise<PlainCell> {
  const model = await modelOf(options, shape);
  const shapes = (values: unknown) =>
    new Map(
      (tree.leavesWithPath(values) as [string, Tensor][]).map(([path, x]) => [
        path,
        `[${x.shape}]`,
      ]),
    );
  const [has, needs] = [shapes(params), shapes(scope(() => initialParams(model, rng(0))))];
  const other = [...new Set([...needs.keys(), ...has.keys()])].find(
    (path) => has.get(path) !== needs.get(path),
  );
  if (other === undefined) return model;
  const texts = [needs.get(other), has.get(other)].map((text) => text ?? "none");
  throw new UsageError(
    `${run}: ${options.cell} is not the cell that was trained: "${other}" is ${texts[0]} in it, and ${texts[1]} in the checkpoint; restore it, or train again`,
  );
}
