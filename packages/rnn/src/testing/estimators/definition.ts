import { scope, Tape, Tensor, tree } from "@chronograd/autodiff";
import { atStep } from "../../stepErrors.ts";
import type { CountedLoss } from "../../truncated/countedLoss.ts";
import type { PlainCell } from "../draw.ts";
import type { PlainLoss } from "../truncated/experiment.ts";
import { type MarkedStep, stepWithMarks } from "../truncated/marked.ts";

/** Full back-propagation over a stretch, in numbers. */
export interface Definition {
  /** By path. */
  readonly gradient: ReadonlyMap<string, Float64Array>;
  readonly losses: readonly number[];
  /** By path, after each step. */
  readonly states: readonly ReadonlyMap<string, Float64Array>[];
}

/** A model on a stretch of steps. */
export interface Stretch {
  readonly cell: PlainCell;
  readonly loss: PlainLoss;
  readonly params: unknown;
  readonly state: unknown;
  readonly steps: readonly MarkedStep[];
  readonly batch: number;
}

/** The gradient of all losses by one plain tape over plain steps, which shares no loop. */
export function fullGradient(
  where: string,
  { cell, loss, params, state, steps, batch }: Stretch,
): Definition {
  return scope(() => {
    const tape = new Tape();
    const watched = tape.watch(params);
    const terms: Tensor[] = [];
    const losses: number[] = [];
    const states: ReadonlyMap<string, Float64Array>[] = [];
    let now: unknown = state;
    for (const [i, step] of steps.entries()) {
      const { next, found } = atStep(`${where}: step`, i + 1, () =>
        stepWithMarks(cell, loss, watched, step, now, batch),
      );
      const sum = found === null ? undefined : elementsOf(found).sum();
      losses.push(sum?.item() ?? 0);
      if (sum !== undefined && tape.tracks(sum)) terms.push(sum);
      states.push(numbersOf(next));
      now = next;
    }
    return { gradient: numbersOf(tape.gradient(terms, watched)), losses, states };
  });
}

function elementsOf(found: Tensor | CountedLoss): Tensor {
  return found instanceof Tensor ? found : found.loss;
}

/** The floats of a tree, by path. */
export function numbersOf(values: unknown): ReadonlyMap<string, Float64Array> {
  const floats = tree.leavesWithPath<Tensor>(values).filter(([, x]) => x.dtype !== "int32");
  return new Map(floats.map(([path, x]) => [path, Float64Array.from(x.toTypedArray())]));
}
