import { setTimeout as delay } from "node:timers/promises";
import { type Communicator, gather } from "@chronograd/nn";
import type { Io } from "../command/io.ts";
import type { Job } from "./loop.ts";

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

/** Where the other ranks write. */
export const nowhere: Job["folder"] = { log: () => {}, save: async () => {} };

/** What the first rank has, on every rank; its value on the others does not count. */
export function ofFirst<T>(communicator: Communicator, value: T): T {
  return communicator.size === 1 ? value : gather(communicator, value)[0]!;
}

/** What the first rank decides. */
export function decided<T>(communicator: Communicator, value: T): T {
  return communicator.broadcast(value);
}

/**
 * Does what may fail on all ranks for the same reason: the first one says so, and ends the others
 * before they do.
 */
export async function firstFails<T>({ rank }: Communicator, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (rank > 0) await delay(patience);
    throw error;
  }
}
