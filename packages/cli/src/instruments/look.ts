import { setImmediate } from "node:timers/promises";
import { RunError, sentenceOf } from "../command/errors.ts";
import type { Io } from "../command/io.ts";
import { type InstrumentName, instruments } from "./index.ts";
import type { Found, Subject } from "./instrument.ts";

/** What instruments have found, and why others have found nothing. */
export interface Looked {
  readonly found: ReadonlyMap<InstrumentName, Found>;
  readonly refused: ReadonlyMap<InstrumentName, string>;
}

/**
 * Looks at a model with instruments, one after the other.
 *
 * Throws a `RunError` where none of them can look at it.
 */
export async function lookAt(
  subject: Subject,
  names: readonly InstrumentName[],
  io: Io,
): Promise<Looked> {
  const found = new Map<InstrumentName, Found>();
  const refused = new Map<InstrumentName, string>();
  const progress = io.progress({ total: names.length, unit: "instruments" });
  try {
    for (const [i, name] of names.entries()) {
      progress.update(i, name);
      // Signals arrive only between turns of the event loop.
      await setImmediate();
      if (io.stopping()) break;
      try {
        found.set(name, instruments[name](subject));
      } catch (error) {
        refused.set(name, sentenceOf(error));
      }
    }
  } finally {
    progress.stop();
  }
  const [first] = refused.values();
  if (found.size === 0 && first !== undefined) throw new RunError(first);
  return { found, refused };
}
