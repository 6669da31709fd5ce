import type { Tensor } from "../tensor/tensor.ts";
import { type Call, touches } from "./call.ts";
import { bufferAt } from "./trace.ts";

/** A program whose inputs are written to after all guards are known, or why that cannot be. */
export interface Committed {
  readonly calls: readonly Call[];
  /** Inputs, by buffer, that may be written in place. */
  readonly written: ReadonlySet<number>;
  /** Whether a separate phase does the writing. */
  readonly isApart: boolean;
}

/**
 * Calls that write to inputs, and all that depend on them, move to a separate phase, so that guards
 * are read before anything changes. Where a guard itself depends on them, nothing is written in
 * place: `isApart` is false then.
 */
export function committed(
  calls: readonly Call[],
  guards: readonly Tensor[],
  isInput: (buffer: number) => boolean,
  phase: number,
): Committed {
  const written = new Set<number>();
  const late = { reads: new Set<number>(), writes: new Set<number>() };
  const next = calls.map((call) => {
    const { reads, writes } = touches(call);
    const own = writes.filter(isInput);
    for (const buffer of own) written.add(buffer);
    const isLate =
      own.length > 0 ||
      reads.some((buffer) => late.writes.has(buffer)) ||
      writes.some((buffer) => late.writes.has(buffer) || late.reads.has(buffer));
    if (!isLate) return call;
    for (const buffer of reads) late.reads.add(buffer);
    for (const buffer of writes) late.writes.add(buffer);
    return { ...call, phase };
  });
  const isApart =
    written.size > 0 &&
    guards.length > 0 &&
    guards.every((x) => !late.writes.has(bufferAt(x.pointer)));
  return { calls: isApart ? next : calls, written, isApart };
}
