import type { Indices } from "@chronograd/autodiff";
import { checkOptions, lookUp } from "@chronograd/autodiff/extend";
import { normal } from "../init/distributions.ts";
import type { Initializer } from "../init/initializer.ts";
import { checkCount, type Layer } from "./layer.ts";

/** Whole numbers from 0 up that name rows of an embedding: an int32 tensor of any shape, or numbers in arrays. */
export type EmbeddingIndices = Indices;

/** Parameters of an embedding: `table [count, size]`. */
export type EmbeddingParams = { table: Initializer };

/**
 * A row of `size` numbers for each of `count` symbols: from indices `[...]` to `[..., size]`.
 *
 * The table starts as standard normal draws.
 *
 * @throws for sizes that are not whole numbers of at least 1; `apply` throws for an index that is not one of 0 to `count - 1`
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { embedding } from "@chronograd/nn";
 *
 * const symbols = embedding({ count: 3, size: 2 });
 * const params = { table: tensor([[0, 0], [1, 10], [2, 20]]) };
 * symbols.apply(params, [2, 1]).toArray(); // => [[2, 20], [1, 10]]
 * ```
 */
export function embedding(options: {
  readonly count: number;
  readonly size: number;
}): Layer<EmbeddingParams, [indices: EmbeddingIndices]> {
  checkOptions("embedding", options, ["count", "size"]);
  const { count, size } = options ?? ({} as typeof options);
  checkCount(count, "count", "embedding");
  checkCount(size, "size", "embedding");
  return {
    params: { table: normal(1, count, size) },
    apply: ({ table }, indices) => lookUp(table, indices),
  };
}
