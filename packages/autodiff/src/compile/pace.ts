import type { Backend } from "../tensor/backend.ts";
import { ThreadPool } from "../threads/pool.ts";

/** Into how many parts a function's inputs are cut, and how many threads may run them. */
export interface Shards {
  readonly count: number;
  readonly threads: number;
  /** Whether as many are to run them, whatever takes less time. */
  readonly isFixed: boolean;
  /** Whether the order of sums was asked for: the bits must not depend on anything else then. */
  readonly isOrdered?: boolean;
  /** Why rows are not cut although there may be threads, in words. */
  readonly whyAlone?: string;
}

/** One part, here. */
export const alone: Shards = { count: 1, threads: 1, isFixed: true };

/** Runs on threads before any counts: code that a thread has run a few times only is slow. */
const warmRuns = 10;
/**
 * Runs by each number of threads of which the fastest are compared: others may have been disturbed.
 */
const trials = 7;

/**
 * Measures once whether threads make a run of several shards faster. All runs give the same bits,
 * so it is real runs that are measured: by turns here alone and on threads.
 */
export class Pace {
  readonly #threads: number;
  readonly #pool: ThreadPool | string;
  /** Milliseconds of runs here alone, and on threads. */
  readonly #times: readonly [one: number[], all: number[]] = [[], []];
  #chosen: number | undefined;
  /** Runs on threads that had started. */
  #warm = 0;

  constructor({ count, threads, isFixed }: Shards, backend: Backend) {
    this.#threads = Math.min(count, threads);
    this.#pool = this.#threads > 1 ? ThreadPool.of(backend) : "";
    if (this.#threads === 1 || typeof this.#pool === "string") this.#chosen = 1;
    else if (isFixed) this.#chosen = this.#threads;
  }

  /** Runs `body` with a number of threads. */
  time<T>(body: (threads: number) => T): T {
    if (this.#chosen !== undefined) return body(this.#chosen);
    // Threads that have not started would be measured as none.
    if (!(this.#pool as ThreadPool).isUp(this.#threads)) return body(this.#threads);
    if (this.#warm++ < warmRuns) return body(this.#threads);
    const [one, all] = this.#times;
    const isOne = one.length < all.length;
    const start = performance.now();
    const result = body(isOne ? 1 : this.#threads);
    (isOne ? one : all).push(performance.now() - start);
    if (one.length === trials) this.#chosen = this.ratio > 1 ? this.#threads : 1;
    return result;
  }

  /** How many times as fast threads are as one. */
  private get ratio(): number {
    const [one, all] = this.#times.map((times) => Math.min(...times)) as [number, number];
    return one / all;
  }

  explain(): string {
    if (this.#chosen === undefined) {
      return `on ${this.#threads} threads until it was measured${this.#missing}`;
    }
    const on = this.#chosen === 1 ? "on one thread" : `on ${this.#chosen} threads`;
    if (typeof this.#pool === "string") {
      return this.#pool === "" ? on : `${on}, because ${this.#pool}`;
    }
    if (this.#times[1].length === 0) return on + this.#missing;
    const times = this.ratio.toFixed(2);
    return this.#chosen === 1
      ? `${on}, because ${this.#threads} threads were only ${times} times as fast${this.#missing}`
      : `${on}, ${times} times as fast as one${this.#missing}`;
  }

  get #missing(): string {
    const { reason } = this.#pool as ThreadPool;
    return reason === undefined ? "" : `, of which some are missing, because ${reason}`;
  }
}
