import type { Rng } from "@chronograd/nn";
import type { Kind } from "./kinds.ts";

/** Sequences of T steps and B rows, time-major: value `[t, row, i]` lies at `(t B + row) I + i`. */
export interface Batch {
  /** `[T, B, I]` */
  readonly inputs: Float32Array<ArrayBuffer>;
  /** `[T, B, K]`: numbers, bits, or the number of a class. */
  readonly targets: Float32Array<ArrayBuffer>;
  /** `[T, B]`: 1 where a step has a loss, 0 elsewhere. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/** A problem on sequences that are drawn: nothing is seen twice. */
export interface Task {
  readonly kind: Kind;
  /** T: every sequence has as many steps. */
  readonly steps: number;
  /** I. */
  readonly inputs: number;
  /**
   * What the model says at each step: K numbers, K logits of bits, or as many as there are classes.
   */
  readonly outputs: number;
  /** K. */
  readonly targets: number;
  /** Steps of a row that have a loss, each K targets. */
  readonly answers: number;
  /** What the best answer reaches that does not look at the inputs, in closed form. */
  readonly baseline: number;
  /** Draws `rows` sequences. */
  draw(draws: Rng, rows: number): Batch;
}

/** A batch of zeros, to be filled. */
export function emptyBatch(
  { steps, inputs, targets }: Pick<Task, "steps" | "inputs" | "targets">,
  rows: number,
): Batch {
  return {
    inputs: new Float32Array(steps * rows * inputs),
    targets: new Float32Array(steps * rows * targets),
    weights: new Float32Array(steps * rows),
  };
}
