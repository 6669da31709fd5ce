import { shown } from "../checks.ts";

/**
 * Moves bytes between workers: all that a kind of machine has to bring. What the bytes mean,
 * agreement on trees, cutting them into messages and the order of sums are `createCommunicator`'s,
 * once for all.
 *
 * A worker fills `message` and calls one of three exchanges, which waits until every worker has
 * called the same one with the same numbers. It returns messages in the order of ranks, this
 * worker's own among them; what was sent stands where it stood in its message, and the rest may be
 * anything. A received message may begin at any byte: `createCommunicator` copies it where it is
 * not aligned to 8. Messages can be read until this worker's next exchange, also while the next
 * `message` is filled. Exchanges are synchronous, so each rank is a thread or a process of its own.
 *
 * An exchange that can never come about, because worker `gone` has ended, throws
 * `new WorkerError(gone, size, what)`, where the sentence `what` names `where`: the collective that
 * waits.
 *
 * In the repository, `packages/nn/tests/parallel/files.ts` is a complete transport, over files, and
 * `conformance.ts` beside it is the program that holds every transport to this contract.
 */
export interface Transport {
  /** Which worker this is, from 0 to `size - 1`. */
  readonly rank: number;
  /** How many workers there are. */
  readonly size: number;
  /** Bytes of a message, a multiple of 8, the same for all workers. Larger trees take several. */
  readonly messageBytes: number;
  /**
   * What the next exchange sends: `messageBytes` bytes, aligned to 8. It may be the same array each
   * time, as long as filling it again does not change what was received.
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
