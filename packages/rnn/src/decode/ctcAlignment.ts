import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { textOf } from "../checkDefinition.ts";
import { checkWhole } from "./checkWhole.ts";
import { type CtcRow, type CtcRowOptions, ctcRows } from "./ctcRows.ts";

/** The most probable alignment of a target with the steps of its row. */
export interface CtcAlignment {
  /** The class of each step, a label or the blank. */
  readonly path: readonly number[];
  readonly logProbability: number;
}

/**
 * Where the labels of known targets are: of all paths that spell a target the most probable one
 * (Viterbi 1967, Error bounds for convolutional codes).
 *
 * @param logits unnormalised scores `[T, B, K]`
 * @param targets B lists of labels, without the blank
 * @throws when shapes, lengths and labels do not fit, and for a target that no path spells
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { ctcAlignment } from "@chronograd/rnn/decode";
 *
 * const logits = tensor([[[5, 0, 0]], [[0, 5, 0]], [[0, 3, 0]], [[0, 0, 5]]]);
 * ctcAlignment(logits, [[1, 2]])[0]!.path; // => [0, 1, 1, 2]
 * // Twice the same label has a blank between.
 * ctcAlignment(logits, [[1, 1]])[0]!.path; // => [0, 1, 0, 1]
 * ```
 */
export function ctcAlignment(
  logits: Tensor,
  targets: readonly ArrayLike<number>[],
  options: CtcRowOptions = {},
): CtcAlignment[] {
  const where = "ctcAlignment";
  checkOptions(where, options, ["lengths", "blank"]);
  const { rows, classes, blank } = ctcRows(logits, options, where);
  if (!Array.isArray(targets) || targets.length !== rows.length) {
    const got = Array.isArray(targets) ? `${targets.length} lists` : textOf(targets);
    throw new RangeError(
      `${where}: targets must be ${rows.length} lists of labels, one for each row, got ${got}`,
    );
  }
  return rows.map((row, i) => {
    const given: unknown = targets[i];
    if (typeof given !== "object" || given === null || !("length" in given)) {
      throw new TypeError(
        `${where}: target ${i} must be a list of labels, got ${textOf(given)}; it may be empty`,
      );
    }
    const target = Array.from(given as ArrayLike<number>);
    for (const [j, label] of target.entries()) {
      checkWhole(where, `label ${j} of target ${i}`, label, 0, classes - 1);
      if (label !== blank) continue;
      throw new RangeError(
        `${where}: label ${j} of target ${i} is the blank ${blank}; leave blanks out of targets, or name another class as blank`,
      );
    }
    const found = bestPath(row, target, blank);
    if (found !== undefined) return found;
    throw new RangeError(
      `${where}: no path of the ${row.steps} steps of row ${i} spells its ${target.length} labels; it needs a step for each label and one between equal labels, and finite logits`,
    );
  });
}

/** The best path over the target's labels with blanks around them, one state a step. */
function bestPath(
  { steps, log }: CtcRow,
  target: readonly number[],
  blank: number,
): CtcAlignment | undefined {
  const states = [blank, ...target.flatMap((label) => [label, blank])];
  const from = Array.from({ length: steps }, () => new Int32Array(states.length));
  // Before the first step a path is left of all states.
  let scores = states.map((_, s) => (s < 2 ? 0 : Number.NEGATIVE_INFINITY));
  for (let t = 0; t < steps; t++) {
    scores = states.map((label, s) => {
      let best = s;
      if (t > 0) {
        const isOther = label !== blank && label !== states[s - 2];
        for (const before of isOther ? [s - 1, s - 2] : [s - 1]) {
          if (before >= 0 && scores[before]! > scores[best]!) best = before;
        }
      }
      from[t]![s] = best;
      return scores[best]! + log(t, label);
    });
  }
  const last = states.length - 1;
  let state = last > 0 && scores[last - 1]! > scores[last]! ? last - 1 : last;
  if (steps === 0) return last === 0 ? { path: [], logProbability: 0 } : undefined;
  const logProbability = scores[state]!;
  if (!(logProbability > Number.NEGATIVE_INFINITY)) return undefined;
  const path = new Array<number>(steps);
  for (let t = steps - 1; t >= 0; t--) {
    path[t] = states[state]!;
    state = from[t]![state]!;
  }
  return { path, logProbability };
}
