import { scope } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { compareEstimators, type EstimatorComparison } from "@chronograd/rnn/estimators";
import { RunError, sentenceOf } from "../command/errors.ts";
import type { Course } from "./course.ts";
import type { PlainEstimator } from "./named.ts";

/** A comparison, and why some estimators are not in it. */
export interface Compared {
  readonly comparison: EstimatorComparison;
  readonly refused: Readonly<Record<string, string>>;
}

/** Compares the estimators that a model has the form for. */
export function compareAll(
  { cell, params, steps, loss }: Course,
  estimators: readonly PlainEstimator[],
  options: { readonly repeats: number; readonly seed: number },
): Compared {
  const refused: Record<string, string> = {};
  const able = estimators.filter(({ name, windows }) => {
    try {
      // The first window tells.
      scope(() => {
        const draws = rng(options.seed, "first window");
        for (const _ of windows(cell, params as never, steps, { loss }, draws)) break;
      });
      return true;
    } catch (error) {
      refused[name] = sentenceOf(error);
      return false;
    }
  });
  if (able.length === 0) throw new RunError(Object.values(refused)[0]!);
  try {
    const all = { loss, ...options };
    const comparison = compareEstimators(cell, params as never, steps, able, all);
    return { comparison, refused };
  } catch (error) {
    throw new RunError(sentenceOf(error));
  }
}
