import { WorkerError } from "./communicator.ts";

/** Words of 32 bits that each worker has for itself: no two share a line of a cache. */
const stride = 32;
/** Where a worker's words are. */
const arrivals = 0;
const departure = 1;

/** Looks at a word before sleeping on it: some microseconds, less than waking up takes. */
const looks = 2000;

/** Why a worker takes part no more. */
const departures = { returned: 1, threw: 2, stopped: 3 } as const;
export type Departure = keyof typeof departures;

/** Bytes that the words of `size` workers take. */
export function barrierBytes(size: number): number {
  return size * stride * 4;
}

/**
 * Where workers wait for each other. Each counts its arrivals in its own word, in steps of 2,
 * so that the lowest bit can say that it is gone: whoever sleeps on the word wakes up for both.
 */
export class Barrier {
  readonly rank: number;
  readonly size: number;
  readonly #words: Int32Array<SharedArrayBuffer>;
  #arrived = 0;

  constructor(words: Int32Array<SharedArrayBuffer>, rank: number, size: number) {
    this.#words = words;
    this.rank = rank;
    this.size = size;
  }

  /** Waits until all workers have come as often as this one. */
  wait(where: string): void {
    // Counts wrap around, so only differences are compared.
    this.#arrived = (this.#arrived + 2) | 0;
    const own = this.rank * stride + arrivals;
    Atomics.add(this.#words, own, 2);
    Atomics.notify(this.#words, own);
    for (let rank = 0; rank < this.size; rank++) {
      if (rank !== this.rank) this.#await(rank, where);
    }
  }

  #await(rank: number, where: string): void {
    const word = rank * stride + arrivals;
    for (let look = 0; ; look++) {
      const value = Atomics.load(this.#words, word);
      if (((value - this.#arrived) | 0) >= 0) return;
      if ((value & 1) === 1) this.#isGone(rank, where);
      if (look >= looks) Atomics.wait(this.#words, word, value);
    }
  }

  #isGone(rank: number, where: string): never {
    const reason = Atomics.load(this.#words, rank * stride + departure);
    if (reason === departures.returned) {
      throw new Error(
        `${where}: worker ${rank} of ${this.size} has returned while worker ${this.rank} waits for it; every worker must call the same collectives, in the same order`,
      );
    }
    const what = reason === departures.threw ? "threw" : "was stopped";
    throw new WorkerError(
      rank,
      this.size,
      `it ${what} while worker ${this.rank} waited for it in ${where}`,
    );
  }

  /** Says that worker `rank` takes part no more, and wakes up those who wait for it. */
  leave(rank: number, reason: Departure): void {
    Atomics.store(this.#words, rank * stride + departure, departures[reason]);
    Atomics.or(this.#words, rank * stride + arrivals, 1);
    Atomics.notify(this.#words, rank * stride + arrivals);
  }
}
