import { shown } from "../checks.ts";

/**
 * Moves bytes between workers: all that a kind of machine has to bring. What the bytes mean,
 * agreement on trees, cutting them into messages and the order of sums are `createCommunicator`'s,
 * once for all.
 *
 * A worker fills `message` and calls one of three exchanges, which waits until every worker has
 * called the same one with the same numbers. It returns messages in the order of ranks, this
 * worker's own among them; what was sent stands where it stood in its message, and the rest may be
 * anything. They can be read until this worker's next exchange, and so can the next `message` be
 * filled.
 *
 * An exchange that can never come about, because a worker is gone, throws a `WorkerError` whose
 * sentence names `where`: the collective that waits. An example is in the guide to training on
 * several cores.
 */
export interface Transport {
  /** Which worker this is, from 0 to `size - 1`. */
  readonly rank: number;
  /** How many workers there are. */
  readonly size: number;
  /** Bytes of a message, a multiple of 8, the same for all workers. Larger trees take several. */
  readonly messageBytes: number;
  /**
   * What the next exchange sends: `messageBytes` bytes, aligned to 8. Another one after each
   * exchange.
   */
  readonly message: Uint8Array;
  /** The first `bytes` of every message go to every worker (MPI_Allgather). */
  allGather(bytes: number, where: string): readonly Uint8Array[];
  /**
   * Worker r gets bytes `r * bytes` to `(r + 1) * bytes` of every message, up to its end
   * (MPI_Alltoall). They stand at the same place in what it receives: with three workers,
   * `messageBytes` 1024 and `bytes` 64, worker 1 receives three messages of at least 128 bytes, and
   * reads bytes 64 to 128 of each.
   */
  allToAll(bytes: number, where: string): readonly Uint8Array[];
  /** The first `bytes` of worker `root`'s message go to every worker (MPI_Bcast). */
  broadcast(bytes: number, root: number, where: string): Uint8Array;
}

/** Throws a sentence unless a message can be that long. @internal */
export function checkMessageBytes(value: number, where: string): void {
  if (Number.isSafeInteger(value) && value >= 8 && value % 8 === 0) return;
  throw new RangeError(
    `${where}: messageBytes must be a multiple of 8 of at least 8, got ${shown(value)}`,
  );
}
