import { isTensor, type Tensor, tree } from "@chronograd/autodiff";
import { consume, isTracing, moveOutOfWindow, refuseTracing } from "@chronograd/autodiff/internal";
import { isBranch } from "./leaves.ts";
import type { GradientTransformation } from "./transformation.ts";

/**
 * A transformation from a step that consumes nothing: `update` consumes the state once the whole
 * step succeeded.
 */
export function transformation<State>(
  name: string,
  { init, step }: Required<Pick<GradientTransformation<State>, "init" | "step">>,
): Required<GradientTransformation<State>> {
  const where = `${name}.update`;
  return {
    init,
    step,
    update(gradients, state, params) {
      if (isTracing()) checkArguments(state, "the state", where);
      const result = step(gradients, state, params, true);
      consumeState(state, result[1], where, result[0]);
      return result;
    },
  };
}

/**
 * Inside a function that is being compiled, values that are about to be consumed must be its
 * arguments.
 */
export function checkArguments(values: unknown, what: string, where: string): void {
  if (tree.leaves(values).every(({ backend }) => backend.parent !== null)) return;
  refuseTracing(
    `${where} consumes ${what}, which comes from outside of the function; make it an argument, and return what took its place`,
  );
}

/**
 * Consumes what a state held, with what stands at its places in the next one as successors, which
 * outlive their window. Nothing, where a tape tracks the next one, or the updates: it may need any
 * of them.
 */
export function consumeState(state: unknown, next: unknown, by: string, updates?: unknown): void {
  const after = tree.leaves(next);
  const tracks = ({ tape }: Tensor) => tape !== null;
  if (after.some(tracks) || tree.leaves(updates).some(tracks)) return;
  for (const x of after) moveOutOfWindow(x);
  const kept = new Set(after);
  const visit = (before: unknown, now: unknown): void => {
    if (isTensor(before)) {
      if (before.tape !== null || before.block.holders <= 0 || kept.has(before)) return;
      consume(before, isTensor(now) ? now : null, by);
    } else if (isBranch(before)) {
      for (const key of Object.keys(before))
        visit(before[key], isBranch(now) ? now[key] : undefined);
    }
  };
  visit(state, next);
}
