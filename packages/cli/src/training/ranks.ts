import { type Communicator, gather } from "@chronograd/nn";
import type { Job } from "./loop.ts";

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
