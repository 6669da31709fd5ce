import { checkOptions } from "@chronograd/autodiff/internal";
import { checkWhole } from "../checks.ts";
import { Barrier, barrierBytes, type Departure } from "./barrier.ts";
import { checkRank } from "./communicator.ts";
import { checkMessageBytes, type Transport } from "./transport.ts";

/** Three words before all others: how many workers, bytes of a message, and this mark. */
const headerBytes = 128;
const mark = 0x67726164;
const defaultMessageBytes = 2 ** 20;

/** How a buffer that workers share is made. */
export interface SharedBufferOptions {
  /**
   * Bytes that each worker can send at once, a multiple of 8; larger trees go in parts. 1 MiB
   * unless given.
   */
  readonly messageBytes?: number;
}

/**
 * The memory through which `size` workers exchange messages: two places for each, whatever the size
 * of the trees.
 *
 * @throws unless `size` is a whole number of at least 1 and `messageBytes` a multiple of 8
 *
 * @example
 * ```ts
 * import { createCommunicator, SharedMemory, sharedBuffer } from "@chronograd/nn/parallel";
 *
 * // Posted to each worker, which makes its own end of it.
 * const buffer = sharedBuffer(1);
 * createCommunicator(new SharedMemory(buffer, 0)).allReduce({ loss: 2 }).loss; // => 2
 * ```
 */
export function sharedBuffer(size: number, options: SharedBufferOptions = {}): SharedArrayBuffer {
  checkOptions("sharedBuffer", options, ["messageBytes"]);
  const { messageBytes = defaultMessageBytes } = options;
  checkWhole(size, "size", "sharedBuffer");
  checkMessageBytes(messageBytes, "sharedBuffer");
  const buffer = new SharedArrayBuffer(headerBytes + barrierBytes(size) + 2 * size * messageBytes);
  new Int32Array(buffer).set([size, messageBytes, mark]);
  return buffer;
}

/**
 * A transport over memory that workers share, each in its own thread: Node's `worker_threads`
 * (`runWorkers` of `@chronograd/nn/node` makes one), or a browser's Web Workers on a page that is
 * cross-origin isolated. It waits with `Atomics`, which a browser's main thread cannot.
 *
 * Messages are not sent but read where they were written. Each worker has two places that take
 * turns: one that is an exchange ahead writes to the other, and none can be two ahead.
 *
 * @throws unless `rank` is that of a worker and `buffer` comes from `sharedBuffer`
 */
export class SharedMemory implements Transport {
  readonly rank: number;
  readonly size: number;
  readonly messageBytes: number;
  readonly #barrier: Barrier;
  /** Every worker's message, for each of two turns. */
  readonly #messages: readonly [even: Uint8Array[], odd: Uint8Array[]];
  #turn: 0 | 1 = 0;

  constructor(buffer: SharedArrayBuffer, rank: number) {
    // [object SharedArrayBuffer]: in browsers there is no such class on every page.
    const kind = Object.prototype.toString.call(buffer).slice(8, -1);
    const isShared = kind === "SharedArrayBuffer" && buffer.byteLength >= headerBytes;
    const [size = 0, messageBytes = 0, found] = isShared ? new Int32Array(buffer, 0, 3) : [];
    if (found !== mark) {
      throw new TypeError(
        `SharedMemory: buffer must come from sharedBuffer(size), got ${isShared ? "other shared memory" : `type ${kind}`}`,
      );
    }
    checkRank({ rank, size }, "SharedMemory");
    this.rank = rank;
    this.size = size;
    this.messageBytes = messageBytes;
    const words = new Int32Array(buffer, headerBytes, barrierBytes(size) / 4);
    this.#barrier = new Barrier(words, rank, size);
    const first = headerBytes + barrierBytes(size);
    const messages = (turn: number) =>
      Array.from({ length: size }, (_, r) => {
        return new Uint8Array(buffer, first + (2 * r + turn) * messageBytes, messageBytes);
      });
    this.#messages = [messages(0), messages(1)];
  }

  get message(): Uint8Array {
    return this.#messages[this.#turn][this.rank]!;
  }

  allGather(_bytes: number, where: string): readonly Uint8Array[] {
    return this.#exchange(where);
  }

  allToAll(_bytes: number, where: string): readonly Uint8Array[] {
    return this.#exchange(where);
  }

  broadcast(_bytes: number, root: number, where: string): Uint8Array {
    return this.#exchange(where)[root]!;
  }

  /** Says that a worker, this one unless named, takes part no more; those who wait for it throw. */
  leave(reason: Departure, rank: number = this.rank): void {
    this.#barrier.leave(rank, reason);
  }

  #exchange(where: string): readonly Uint8Array[] {
    this.#barrier.wait(where);
    const messages = this.#messages[this.#turn];
    this.#turn = this.#turn === 0 ? 1 : 0;
    return messages;
  }
}
