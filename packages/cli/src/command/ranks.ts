import { setTimeout as delay } from "node:timers/promises";
import type { Communicator } from "@chronograd/nn";
import type { Io } from "./io.ts";

/** Milliseconds that the first rank has to say what went wrong on all. */
const patience = 2000;

/** How a rank speaks: the first one as it is, the others not at all. */
export function ioOf({ rank }: Communicator, io: Io): Io {
  if (rank === 0) return io;
  return {
    say: () => {},
    progress: () => ({ update: () => {}, stop: () => {} }),
    result: () => {},
    stopping: io.stopping,
    color: false,
  };
}

/** On the other ranks, waits until the first one has said what went wrong on all. */
export async function letFirstSpeak({ rank }: Communicator): Promise<void> {
  if (rank > 0) await delay(patience);
}

/**
 * Does what may fail on all ranks for the same reason: the first one says so, and ends the others
 * before they do.
 */
export async function firstFails<T>(
  communicator: Communicator,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await letFirstSpeak(communicator);
    throw error;
  }
}
