import { type Tensor, tree } from "@chronograd/autodiff";
import { UsageError } from "../command/errors.ts";
import { stepsOf } from "../training/sequence.ts";
import type { Item, Step, Stretch, Task } from "../training/task.ts";

/** Time steps that a model is looked at on. */
export interface LookedAt {
  readonly steps: readonly Step[];
  readonly rows: number;
  /** Where they are from: "held-out", or "training" where nothing is held out. */
  readonly part: "held-out" | "training";
  /** There are no more of them. */
  readonly isAll: boolean;
}

/** What is looked at, where nothing else is asked for. */
export interface Wanted extends Stretch {
  /** Fewer steps will do. */
  readonly isDefault: boolean;
}

/**
 * The first time steps of what a task holds out.
 *
 * Throws a `UsageError` where there are fewer than were asked for.
 */
export function stretchOf(task: Task, { isDefault, ...size }: Wanted): LookedAt {
  const heldOut = task.heldOut(size);
  const part = heldOut === undefined ? "training" : "held-out";
  const steps = [...firstSteps(heldOut ?? task.stream(0), size)];
  if (steps.length < size.steps && !isDefault) {
    throw new UsageError(
      `--steps: ${task.title} has ${steps.length} ${part} time steps, got ${size.steps}; ask for at most ${steps.length}`,
    );
  }
  return { steps, rows: rowsOf(steps[0]!), part, isAll: steps.length < size.steps };
}

/** At most so many steps, of at most so many rows. */
function* firstSteps(items: Iterable<Item>, { steps, rows }: Stretch): Generator<Step> {
  let left = steps;
  for (const item of items) {
    for (const step of stepsOf(item)) {
      if (left-- === 0) return;
      yield rowsOf(step) > rows ? firstRows(step, rows) : step;
    }
    if (left === 0) return;
  }
}

const rowsOf = ({ input }: Step): number => tree.leaves(input)[0]!.shape[0]!;

/** A step with its first rows alone. */
export const firstRows = (step: Step, rows: number): Step =>
  tree.map(step, (x: Tensor) => x.slice([[0, rows]]));
