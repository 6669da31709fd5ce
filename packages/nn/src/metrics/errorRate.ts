import { shown } from "../checks.ts";
import { editDistance } from "./editDistance.ts";

/**
 * Edit distances of all hypotheses from their references, divided by the symbols of all references:
 * the word, phoneme or digit error rate. It is above 1 where more is inserted than there is.
 *
 * @param hypotheses N sequences, as a model gave them
 * @param references the N right ones
 * @throws for other numbers of hypotheses than of references, and references without a symbol
 *
 * @example
 * ```ts
 * import { errorRate } from "@chronograd/nn/metrics";
 *
 * // One of five symbols is wrong.
 * errorRate([[3, 1, 4], [1, 6]], [[3, 1, 4], [1, 5]]); // => 0.2
 * ```
 */
export function errorRate<S>(
  hypotheses: readonly Iterable<S>[],
  references: readonly Iterable<S>[],
): number {
  if (!Array.isArray(hypotheses) || hypotheses.length !== references?.length) {
    throw new RangeError(
      `errorRate: expected as many hypotheses as references, got ${shown(hypotheses?.length)} and ${shown(references?.length)}`,
    );
  }
  let errors = 0;
  let symbols = 0;
  for (const [i, reference] of references.entries()) {
    errors += editDistance(hypotheses[i] as Iterable<S>, reference);
    symbols += Array.from(reference).length;
  }
  if (symbols > 0) return errors / symbols;
  throw new RangeError(
    `errorRate: references must have at least one symbol in all, got ${references.length} without any`,
  );
}
