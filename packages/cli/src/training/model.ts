import { embedding, linear } from "@chronograd/nn";
import { sequential } from "@chronograd/rnn";
import type { PlainCell } from "../modules/loadCell.ts";
import { type CellOptions, layersOf } from "./cells.ts";
import type { Interface } from "./task.ts";

/** The longest row that stands for a token. */
const widest = 128;

/** A model: an embedding where it reads tokens, the cells, and a linear map to its outputs. */
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
