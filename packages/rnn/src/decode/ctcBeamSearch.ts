import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkWhole } from "./checkWhole.ts";
import { type CtcRow, type CtcRowOptions, ctcRows } from "./ctcRows.ts";

/** Options of `ctcBeamSearch`. */
export interface CtcBeamOptions extends CtcRowOptions {
  /** How many prefixes are kept after a step; 10 unless given. */
  readonly width?: number;
}

/** Labels, and the log-probability of all kept alignments that spell them. */
export interface CtcHypothesis {
  readonly labels: readonly number[];
  readonly logProbability: number;
}

/** The alignments of a prefix: those that end with a blank, and those that end with its label. */
interface Prefix {
  readonly labels: readonly number[];
  blank: number;
  label: number;
}

const none = Number.NEGATIVE_INFINITY;

/** `log(exp(a) + exp(b))`. */
function logSum(a: number, b: number): number {
  const max = Math.max(a, b);
  return max === none ? max : max + Math.log1p(Math.exp(Math.min(a, b) - max));
}

/**
 * The most probable labels of each row, over all alignments of each (prefix search, Graves et al.
 * 2006, section 3.2; with a beam, Hannun, Maas, Jurafsky & Ng 2014, First-pass large vocabulary
 * continuous speech recognition).
 *
 * With a width of at least the number of prefixes it is exact. Fewer lose alignments, so a
 * log-probability is then a lower bound.
 *
 * @param logits unnormalised scores `[T, B, K]`
 * @returns for each row at most `width` hypotheses, the most probable first
 * @throws when shapes, lengths and width do not fit, and for NaN in logits
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { ctcBeamSearch, ctcGreedy } from "@chronograd/rnn/decode";
 *
 * // At both steps the blank has 0.6 and the label 0.4. The best path is two blanks, 0.36; but
 * // three paths, 0.64 together, spell the label.
 * const logits = tensor([[[0.6, 0.4]], [[0.6, 0.4]]]).log();
 * ctcGreedy(logits); // => [[]]
 * const [best] = ctcBeamSearch(logits)[0]!;
 * [best!.labels, Math.exp(best!.logProbability).toFixed(2)]; // => [[1], "0.64"]
 * ```
 */
export function ctcBeamSearch(logits: Tensor, options: CtcBeamOptions = {}): CtcHypothesis[][] {
  const where = "ctcBeamSearch";
  checkOptions(where, options, ["lengths", "blank", "width"]);
  const { width = 10 } = options;
  checkWhole(where, "width", width, 1, Number.MAX_SAFE_INTEGER);
  const { rows, classes, blank } = ctcRows(logits, options, where);
  return rows.map((row) => {
    let beam: Prefix[] = [{ labels: [], blank: 0, label: none }];
    for (let t = 0; t < row.steps; t++) {
      beam = extended(beam, row, t, classes, blank).slice(0, width);
    }
    return beam.map((prefix) => ({ labels: prefix.labels, logProbability: total(prefix) }));
  });
}

function total({ blank, label }: Prefix): number {
  return logSum(blank, label);
}

/** All prefixes after one more step, the most probable first. */
function extended(
  beam: readonly Prefix[],
  { log }: CtcRow,
  t: number,
  classes: number,
  blank: number,
): Prefix[] {
  const next = new Map<string, Prefix>();
  const at = (labels: readonly number[]) => {
    const key = labels.join();
    const prefix = next.get(key) ?? { labels, blank: none, label: none };
    next.set(key, prefix);
    return prefix;
  };
  for (const prefix of beam) {
    const all = total(prefix);
    const last = prefix.labels.at(-1);
    const same = at(prefix.labels);
    same.blank = logSum(same.blank, all + log(t, blank));
    if (last !== undefined) same.label = logSum(same.label, prefix.label + log(t, last));
    for (let k = 0; k < classes; k++) {
      if (k === blank) continue;
      // The same label again needs a blank between.
      const before = k === last ? prefix.blank : all;
      const score = before + log(t, k);
      if (score === none) continue;
      const longer = at([...prefix.labels, k]);
      longer.label = logSum(longer.label, score);
    }
  }
  return [...next.values()].sort((a, b) => total(b) - total(a));
}
