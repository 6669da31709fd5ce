import { startThread } from "#threads";
import type { Memory } from "../kernels/memory.ts";
import type { KernelSetName } from "../kernels/sets.ts";
import type { SharedProgram } from "./program.ts";
import {
  bytesFor,
  claimTask,
  mostTasks,
  postJob,
  readText,
  state,
  threadWord,
  word,
} from "./words.ts";

/** What a pool works on: a backend. */
export interface Home {
  readonly memory: Memory;
  readonly kernelSet: KernelSetName | undefined;
}

/** Tasks that are one run of a program each, with a frame each. */
export interface Job {
  readonly program: SharedProgram;
  readonly phase: number;
  readonly tasks: number;
  /** How many runs of the program on the run of the next task is: 0 where all have one. */
  readonly runs: number;
  /** The address of the first frame, and bytes from one to the next. */
  readonly frames: number;
  readonly stride: number;
  /** How many threads take part, with the caller. */
  readonly threads: number;
}

/** Threads of one pool, with the caller's. */
export const mostThreads = 64;
/** Memory for the kernels of a thread: what products pack into. */
const annexBytes = 2 ** 19;
/**
 * Looks at a word before sleeping on it: a quarter of a millisecond, more than threads differ by.
 */
const looks = 100_000;
/** How long a thread may be silent beyond this many times what the caller's own tasks took, ms. */
const [silence, times] = [3000, 50];
/** Where the caller had no task to compare with; milliseconds. */
const longSilence = 30_000;
/**
 * Milliseconds of one sleep. Sleeps are counted, not time: the process may be stopped meanwhile.
 */
const nap = 100;

const pools = new WeakMap<Home, ThreadPool>();
let ended: FinalizationRegistry<Int32Array> | undefined;

/**
 * Threads that run programs on the memory of one backend, beside the thread that asks for it. They
 * sleep without work, keep no process alive, and end with the backend.
 *
 * Which thread runs which task does not matter: threads claim them, the caller among them. So a job
 * is done also where threads have not started yet, or are gone. Threads that are gone are not
 * started anew: whatever ended them would do so again.
 */
export class ThreadPool {
  readonly #memory: Memory;
  readonly #words: Int32Array;
  readonly #kernelSet: KernelSetName;
  #epoch = 0;
  #threads = 1;
  /** Why there are not as many as were asked for. */
  #reason: string | undefined;
  /** Why it cannot run any more. */
  #broken: string | undefined;

  private constructor({ memory }: Home, kernelSet: KernelSetName) {
    this.#memory = memory;
    this.#kernelSet = kernelSet;
    this.#words = new Int32Array(new SharedArrayBuffer(bytesFor(mostThreads)));
  }

  /** The pool of a backend; the reason where it has none. */
  static of(home: Home): ThreadPool | string {
    const { memory, kernelSet } = home;
    if (!memory.isShared) return whyUnshared();
    if (kernelSet === undefined)
      return "the backend's kernels are made by a function, which threads cannot call";
    let pool = pools.get(home);
    if (pool === undefined) {
      pool = new ThreadPool(home, kernelSet);
      pools.set(home, pool);
      ended ??= new FinalizationRegistry(endThreads);
      ended.register(home, pool.#words);
    }
    return pool;
  }

  /** Starts threads until there are so many; those that cannot be started are missing. */
  start(threads: number): void {
    while (this.#reason === undefined && this.#threads < Math.min(threads, mostThreads)) {
      const rank = this.#threads;
      const reason = this.#startThread(rank);
      if (reason === undefined) this.#threads++;
      else this.#reason = reason;
    }
  }

  #startThread(rank: number): string | undefined {
    const [memory, words] = [this.#memory, this.#words];
    const bytes = annexBytes;
    let pointer: number;
    try {
      pointer = memory.allocate(bytes);
    } catch (error) {
      return textOf(error);
    }
    const annex = { pointer, bytes };
    const [wasm, kernelSet] = [memory.wasm, this.#kernelSet];
    const whyNot = startThread(
      { wasm, kernelSet, annex, words, rank, threads: mostThreads },
      (reason: string) => {
        this.#reason ??= reason;
        Atomics.store(words, threadWord(rank), state.gone);
      },
    );
    if (whyNot !== undefined) memory.release(pointer, bytes);
    return whyNot;
  }

  /** Why threads are missing, in words. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Threads that were started, with the caller. */
  get started(): number {
    return this.#threads;
  }

  /** Whether so many threads, with the caller, are there, but for those that never will be. */
  isUp(threads: number): boolean {
    if (this.#broken !== undefined) return false;
    const started = this.#reason === undefined ? threads : this.#threads;
    for (let rank = 1; rank < Math.min(started, threads); rank++) {
      if (Atomics.load(this.#words, threadWord(rank)) === 0) return false;
    }
    return true;
  }

  /** Tasks that threads other than the caller have done. */
  get done(): number {
    let sum = 0;
    for (let rank = 1; rank < this.#threads; rank++) sum += this.#words[threadWord(rank) + 1]!;
    return sum;
  }

  /**
   * Runs the tasks of a job, some of them here, by `own`.
   *
   * @throws what a task threw here, or an error with the sentence of what it threw on a thread
   */
  run(job: Job, own: (task: number) => void): void {
    const { program, phase, runs, tasks, frames, stride, threads } = job;
    if (tasks > mostTasks)
      throw new RangeError(`threads: at most ${mostTasks} tasks, got ${tasks}`);
    if (this.#broken !== undefined) throw new ThreadLost(this.#broken);
    const words = this.#words;
    this.#epoch = (this.#epoch + 1) & 0x3fffff;
    const epoch = this.#epoch;
    const { number, description } = program;
    postJob(words, epoch, [number, description, phase, tasks, frames, stride, threads, runs]);
    if (threads > 1) Atomics.notify(words, word.epoch);
    const start = performance.now();
    let thrown: { readonly error: unknown } | undefined;
    let claimed = 0;
    for (;;) {
      const task = claimTask(words, epoch, tasks);
      if (task < 0) break;
      claimed++;
      try {
        own(task);
      } catch (error) {
        thrown ??= { error };
      }
      Atomics.add(words, word.done, 1);
    }
    this.#waitFor(tasks, claimed === 0 ? undefined : performance.now() - start);
    if (thrown !== undefined) throw thrown.error;
    if (words[word.failed] !== 0) {
      throw new Error(
        `threads: thread ${words[word.failed]} could not run a plan: ${readText(words, mostThreads)}; with threads: 1 the calling thread runs all of it`,
      );
    }
  }

  /**
   * Waits until all tasks are done: those that were claimed elsewhere.
   *
   * @param took milliseconds of the tasks that ran here, if any did
   */
  #waitFor(tasks: number, took: number | undefined): void {
    const words = this.#words as Int32Array<SharedArrayBuffer>;
    const most = took === undefined ? longSilence : silence + times * took;
    const start = performance.now();
    for (let look = 0, naps = 0; ; look++) {
      const done = Atomics.load(words, word.done);
      if (done >= tasks) return;
      if (look < looks) continue;
      if (canWait()) {
        if (Atomics.wait(words, word.done, done, nap) === "timed-out") naps++;
        if (naps * nap < most) continue;
      } else if (performance.now() - start < most) continue;
      // It may come back, and write to memory that is another value's by then.
      endThreads(words);
      this.#broken = `threads: a thread gave no answer for ${Math.round(most / 1000)} s, so it seems to be gone; start the program anew`;
      throw new ThreadLost(this.#broken);
    }
  }
}

/** A thread that gave no answer: it may come back, so what it works on must stay as it is. */
export class ThreadLost extends Error {}

/** Tells threads to end. */
function endThreads(words: Int32Array): void {
  Atomics.store(words, word.epoch, -1);
  Atomics.notify(words, word.epoch);
}

/** Why a memory is not shared. */
function whyUnshared(): string {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return crossOriginIsolated === false
    ? "the page is not cross-origin isolated (its server has to send the headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy)"
    : "this environment has no shared memory";
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

let waits: boolean | undefined;

/** Whether this thread may sleep: the main thread of a browser may not. */
function canWait(): boolean {
  if (waits === undefined) {
    try {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
      waits = true;
    } catch {
      waits = false;
    }
  }
  return waits;
}
