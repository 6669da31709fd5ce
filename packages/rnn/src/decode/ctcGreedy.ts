import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { type CtcRowOptions, ctcRows } from "./ctcRows.ts";

/**
 * The labels that the best class of each step spells: repeats become one, then blanks go (best path
 * decoding, Graves et al. 2006, section 3.2). Of equal classes the first counts.
 *
 * @param logits unnormalised scores `[T, B, K]`
 * @returns B lists of labels
 * @throws when shapes and lengths do not fit, and for NaN in logits
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { ctcGreedy } from "@chronograd/rnn/decode";
 *
 * // At each step of one row the best of three classes, of which 0 is the blank: 1 1 0 1 2.
 * const logits = tensor([[[0, 9, 0]], [[0, 9, 0]], [[9, 0, 0]], [[0, 9, 0]], [[0, 0, 9]]]);
 * ctcGreedy(logits); // => [[1, 1, 2]]
 * ```
 */
export function ctcGreedy(logits: Tensor, options: CtcRowOptions = {}): number[][] {
  checkOptions("ctcGreedy", options, ["lengths", "blank"]);
  const { rows, classes, blank } = ctcRows(logits, options, "ctcGreedy");
  return rows.map(({ steps, log }) => {
    const labels: number[] = [];
    let before = blank;
    for (let t = 0; t < steps; t++) {
      let best = 0;
      for (let k = 1; k < classes; k++) if (log(t, k) > log(t, best)) best = k;
      if (best !== blank && best !== before) labels.push(best);
      before = best;
    }
    return labels;
  });
}
