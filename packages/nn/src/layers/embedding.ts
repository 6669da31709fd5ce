import type { Indices } from "@chronograd/autodiff";
import { checkOptions, lookUp } from "@chronograd/autodiff/internal";
import { checkWhole } from "../checks.ts";
import { normal } from "../init/distributions.ts";
import type { Initializer } from "../init/initializer.ts";
import { checkParams, type Layer } from "./layer.ts";

/**
 * Whole numbers from 0 up that name rows of an embedding: an int32 tensor of any shape, or numbers
 * in arrays.
 */
export type EmbeddingIndices = Indices;

/** Parameters of an embedding: `table [input, output]`. */
export type EmbeddingParams = { table: Initializer };

/**
 * A row of `output` numbers for each of `input` symbols: from indices `[...]` to `[..., output]`.
 *
 * The table starts as standard normal draws.
 *
 * @throws for sizes that are not whole numbers of at least 1; `apply` throws for an index that is
 *   not one of 0 to `input - 1`, and for a table of another shape
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { embedding } from "@chronograd/nn";
 *
 * const symbols = embedding({ input: 3, output: 2 });
 * const params = { table: tensor([[0, 0], [1, 10], [2, 20]]) };
 * symbols.apply(params, [2, 1]).toArray(); // => [[2, 20], [1, 10]]
 * ```
 */
export function embedding(options: {
  /** How many symbols there are. */
  readonly input: number;
  /** How many numbers stand for a symbol. */
  readonly output: number;
}): Layer<EmbeddingParams, [indices: EmbeddingIndices]> {
  checkOptions("embedding", options, ["input", "output"]);
  const { input, output } = options ?? ({} as typeof options);
  checkWhole(input, "input", "embedding");
  checkWhole(output, "output", "embedding");
  const declared = { table: normal(1, input, output) };
  return {
    kind: "embedding",
    params: declared,
    apply(params, indices) {
      const { table } = checkParams("embedding", params, declared);
      return lookUp(table, indices);
    },
  };
}
