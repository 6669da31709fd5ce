import { threadsAtOnce } from "#threads";
import type { Backend } from "../tensor/backend.ts";
import { ThreadPool } from "../threads/pool.ts";
import type { Frames } from "./frames.ts";
import { Pace } from "./pace.ts";

/** Spans into which updates are cut: more would be small. */
const mostSpans = 8;

/** How many spans are worth being made: as many as there may be threads. */
export function spansFor(backend: Backend): number {
  return ThreadPool.of(backend) instanceof ThreadPool ? Math.min(threadsAtOnce(), mostSpans) : 1;
}

/**
 * The spans of the updates at the end of a plan: runs that may go on at the same time. No thread is
 * started for them, but those that run already take part, if that is faster.
 */
export class SpanRuns {
  readonly #backend: Backend;
  readonly #count: number;
  #pace: Pace | undefined;

  constructor(backend: Backend, count: number) {
    this.#backend = backend;
    this.#count = count;
  }

  /** Runs the spans from run `phase` on, and what comes after them. */
  run(frames: Frames, phase: number): void {
    const count = this.#count;
    if (this.#pace === undefined) {
      const pool = ThreadPool.of(this.#backend);
      const threads = pool instanceof ThreadPool ? Math.min(count, pool.started) : 1;
      if (threads > 1) this.#pace = new Pace({ count, threads, isFixed: false }, this.#backend);
    }
    if (this.#pace === undefined) frames.runSpans(phase, count, 1);
    else this.#pace.time((threads) => frames.runSpans(phase, count, threads));
    frames.run(phase + count);
  }

  explain(): string {
    const how = this.#pace?.explain() ?? "one after the other, because no threads were started";
    return `updates in ${this.#count} spans, ${how}`;
  }
}
