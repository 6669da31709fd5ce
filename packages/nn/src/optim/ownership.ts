import { isTensor, type Tensor, tensor } from "@chronograd/autodiff";
import { consume, isTracing, moveOutOfWindow, refuseTracing } from "@chronograd/autodiff/internal";
import type { GradientTransformation } from "./transformation.ts";
import { isBranch } from "./walk.ts";

/** A transformation from a step that consumes nothing: `update` consumes the state once the whole step succeeded. */
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
      succeed(state, result[1], where, result[0]);
      return result;
    },
  };
}

/** Every tensor of a tree. */
function tensorsOf(tree: unknown, found: Tensor[] = []): Tensor[] {
  if (isTensor(tree)) found.push(tree);
  else if (isBranch(tree)) for (const key of Object.keys(tree)) tensorsOf(tree[key], found);
  return found;
}

/** Inside a function that is being compiled, values that are about to be consumed must be its arguments. */
export function checkArguments(tree: unknown, what: string, where: string): void {
  if (tensorsOf(tree).every(({ backend }) => backend.parent !== null)) return;
  refuseTracing(
    `${where} consumes ${what}, which comes from outside of the function; make it an argument, and return what took its place`,
  );
}

/** The int32 scalar after this one. */
export function stepAfter(step: Tensor): Tensor {
  const { backend } = step;
  if (backend.parent !== null) return step.cast("float64").add(1).cast("int32");
  const value = backend.memory.views.int32[step.pointer / 4]! + 1;
  return tensor(value, { dtype: "int32", backend });
}

/**
 * Consumes what a state held, with what stands at its places in the next one as successors, which outlive their window.
 * Nothing, where a tape tracks the next one, or the updates: it may need any of them.
 */
export function succeed(state: unknown, next: unknown, by: string, updates?: unknown): void {
  const after = tensorsOf(next);
  const tracks = ({ tape }: Tensor) => tape !== null;
  if (after.some(tracks) || tensorsOf(updates).some(tracks)) return;
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
