import { timeStep } from "@chronograd/autodiff";
import { NotTraceable } from "@chronograd/autodiff/internal";

/** Runs `body` as time step `t`; what it throws says so, see `errorOfStep`. */
export function atStep<T>(what: string, t: number, body: () => T): T {
  try {
    return timeStep(t, body);
  } catch (cause) {
    throw errorOfStep(what, t, cause);
  }
}

/**
 * What was thrown at a time step, as an error that says so and has the original as its `cause`; a
 * TypeError or a RangeError where that was one. What says that values cannot be traced is for
 * `compile`, and stays as it is.
 *
 * @param what the function that runs steps, and which part of the step it was
 */
export function errorOfStep(what: string, t: number, cause: unknown): unknown {
  if (cause instanceof NotTraceable) return cause;
  const Kind = [RangeError, TypeError].find((kind) => cause instanceof kind) ?? Error;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new Kind(`${what} ${t}: ${text}`, { cause });
}
