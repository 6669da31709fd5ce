import { linkedOn, type Unlinked } from "../kernels/link.ts";
import type { Backend } from "../tensor/backend.ts";
import { ThreadPool } from "../threads/pool.ts";
import { type SharedProgram, shareProgram } from "../threads/program.ts";
import { nameOfRun } from "./emit.ts";
import type { Shards } from "./pace.ts";

type Run = (frame: number) => void;

/** Bytes between frames are a multiple of this: no two threads write to one line of a cache. */
const alignment = 128;

/**
 * The runs of a linked program, and a frame for each run that may go on at the same time: addresses
 * of inputs and results, then that of the record.
 */
export class Frames {
  readonly #backend: Backend;
  readonly #runs: Readonly<Record<string, Run>>;
  readonly #unlinked: Unlinked;
  readonly #arenaBytes: number;
  readonly #arena: number;
  readonly #stride: number;
  readonly #words: number;
  readonly #shards: number;
  readonly #first: number;
  readonly #hold: (bytes: number) => number;
  #shared: { readonly threads: number; readonly program: SharedProgram } | undefined;

  /**
   * @param words of a frame
   * @param hold memory that lives as long as the program
   */
  constructor(
    backend: Backend,
    unlinked: Unlinked,
    arenaBytes: number,
    words: number,
    shards: Shards,
    hold: (bytes: number) => number,
  ) {
    const { memory, kernels } = backend;
    this.#backend = backend;
    this.#unlinked = unlinked;
    this.#arenaBytes = arenaBytes;
    this.#arena = hold(arenaBytes);
    this.#words = words;
    this.#shards = shards.count;
    this.#stride = Math.ceil((4 * words) / alignment) * alignment;
    this.#first = hold(shards.count * this.#stride);
    this.#hold = hold;
    this.#runs = linkedOn(unlinked, memory, kernels, this.#arena);
    // Now, so that no run takes memory which stays.
    const threads = Math.min(shards.count, shards.threads);
    const pool = threads > 1 ? ThreadPool.of(backend) : undefined;
    if (!(pool instanceof ThreadPool)) return;
    pool.start(threads);
    this.#sharedFor(threads);
  }

  /** Writes the addresses of one shard. */
  write(shard: number, pointers: readonly number[], record: number): void {
    const { int32 } = this.#backend.memory.views;
    const start = (this.#first + shard * this.#stride) / 4;
    for (let slot = 0; slot < pointers.length; slot++) int32[start + slot] = pointers[slot] ?? 0;
    int32[start + this.#words - 1] = record;
  }

  /** The run of a phase for the first shard. */
  run(phase: number): void {
    this.#runs[nameOfRun(phase)]!(this.#first);
  }

  /** The run of a phase for all shards, on so many threads, the caller's among them. */
  runAll(phase: number, threads: number): void {
    const run = this.#runs[nameOfRun(phase)]!;
    const [tasks, frames, stride] = [this.#shards, this.#first, this.#stride];
    const own = (shard: number) => run(frames + shard * stride);
    const pool = threads > 1 ? ThreadPool.of(this.#backend) : undefined;
    if (pool instanceof ThreadPool) {
      pool.start(threads);
      const { program } = this.#sharedFor(threads);
      pool.run({ program, phase, runs: 0, tasks, frames, stride, threads }, own);
    } else {
      for (let shard = 0; shard < tasks; shard++) own(shard);
    }
  }

  /** Runs from `phase` on, so many, which may go on at the same time, for the first shard. */
  runSpans(phase: number, tasks: number, threads: number): void {
    const frames = this.#first;
    const own = (span: number) => this.run(phase + span);
    const pool = threads > 1 ? ThreadPool.of(this.#backend) : undefined;
    if (pool instanceof ThreadPool && pool.isUp(threads)) {
      const { program } = this.#sharedFor(threads);
      pool.run({ program, phase, runs: 1, tasks, frames, stride: 0, threads }, own);
    } else {
      for (let span = 0; span < tasks; span++) own(span);
    }
  }

  /** The program as threads load it, each with an arena of its own. */
  #sharedFor(threads: number): { readonly threads: number; readonly program: SharedProgram } {
    if (this.#shared === undefined || this.#shared.threads < threads) {
      const arenas = [this.#arena];
      while (arenas.length < threads) arenas.push(this.#hold(this.#arenaBytes));
      const program = shareProgram(this.#unlinked, arenas, this.#backend.memory, this.#hold);
      this.#shared = { threads, program };
    }
    return this.#shared;
  }
}
