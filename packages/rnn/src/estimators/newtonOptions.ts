import { tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Values } from "../cell.ts";
import { textOf } from "../checkDefinition.ts";
import { floatsOf, rowSize } from "../derivatives/vectors.ts";
import type { SequenceMarks } from "../sequences/marks.ts";

/** How a sequence is solved for all its states at once. */
export interface NewtonOptions<State> extends SequenceMarks {
  /** The state before the first step; the cell's initial state unless given. */
  readonly state?: Values<State>;
  /** A tree that all steps share; the input of a step is then `{ x, context }`. */
  readonly context?: unknown;
  /**
   * It has converged where no correction of an iteration is larger than this, relative to the
   * largest number of all states or, if that is less, to 1; 1e-10 unless given, and 1e-5 for states
   * in float32.
   */
  readonly tolerance?: number;
  /** The most iterations; one more than there are steps, and at most 100, unless given. */
  readonly iterations?: number;
  /** How many bytes the Jacobians may take; 2^30 unless given. */
  readonly memory?: { readonly bytes: number };
}

/** When to stop. */
export interface Bounds {
  readonly tolerance: number;
  readonly iterations: number;
}

const known = "state context tolerance iterations memory lengths mask resets".split(" ");

/** Throws a sentence for options that do not fit, whatever the sequence. */
export function checkNewton<State>(where: string, options: NewtonOptions<State>): void {
  checkOptions(where, options, known);
  const { tolerance = 0.5, iterations = 1, memory = { bytes: 1 } } = options;
  if (typeof tolerance !== "number" || !(tolerance > 0 && tolerance < 1)) {
    throw new RangeError(
      `${where}: tolerance must be a number between 0 and 1, got ${textOf(tolerance)}`,
    );
  }
  if (!Number.isInteger(iterations) || iterations < 1) {
    throw new RangeError(
      `${where}: iterations must be a whole number of at least 1, got ${textOf(iterations)}`,
    );
  }
  checkOptions(`${where}: memory`, memory, ["bytes"]);
  if (!(memory.bytes > 0)) {
    throw new RangeError(
      `${where}: memory.bytes must be a number above 0, got ${textOf(memory.bytes)}`,
    );
  }
}

/** When to stop, for a sequence; throws for a state without Jacobian, or one too large. */
export function boundsOf<State>(
  where: string,
  options: NewtonOptions<State>,
  start: unknown,
  steps: number,
): Bounds {
  if (tree.leaves(start).length === 0) {
    throw new TypeError(
      `${where}: the cell has no state, so that there is nothing to solve for; run it with unroll`,
    );
  }
  const [leaf] = floatsOf(start);
  if (leaf === undefined || floatsOf(start).length < tree.leaves(start).length) {
    throw new TypeError(
      `${where}: the state has tensors of whole numbers, which have no Jacobian; run the cell with unroll`,
    );
  }
  const [rows, H] = [leaf.shape[0]!, rowSize(start)];
  const isFloat64 = leaf.dtype === "float64";
  const { tolerance = isFloat64 ? 1e-10 : 1e-5, iterations = Math.min(steps + 1, 100) } = options;
  const allowed = options.memory?.bytes ?? 2 ** 30;
  // Row by row, then together.
  const bytes = 2 * steps * rows * H * H * (isFloat64 ? 8 : 4);
  if (bytes > allowed) {
    throw new RangeError(
      `${where}: the Jacobians [${steps}, ${rows}, ${H}, ${H}] of all steps and rows, made in two copies, take ${bytes} bytes, and memory.bytes allows ${allowed}; give it more, or part the sequence and hand on the state`,
    );
  }
  return { tolerance, iterations };
}
