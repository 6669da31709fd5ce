import { timeStep } from "@chronograd/autodiff";
import { NotTraceable } from "@chronograd/autodiff/extend";

/**
 * Runs `body` as time step `t`. What it throws says so, and has the original error as its `cause`; it is a TypeError or a
 * RangeError where that was one.
 *
 * @param part what of the step it is
 */
export function atStep<T>(where: string, t: number, body: () => T, part = "step"): T {
  try {
    return timeStep(t, body);
  } catch (cause) {
    if (cause instanceof NotTraceable) throw cause;
    const Kind = [RangeError, TypeError].find((kind) => cause instanceof kind) ?? Error;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Kind(`${where}: ${part} ${t}: ${text}`, { cause });
  }
}
