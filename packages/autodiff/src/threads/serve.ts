import { findBlas } from "#blas";
import type { Kernels } from "../kernels/contract.ts";
import { type Link, linkedOn } from "../kernels/link.ts";
import { type LinearMemory, Memory } from "../kernels/memory.ts";
import { type KernelSetName, makers } from "../kernels/sets.ts";
import { claimTask, state, threadWord, word, writeText } from "./words.ts";

/** What a thread of a pool is told when it starts. */
export interface Assignment {
  readonly wasm: LinearMemory;
  readonly kernelSet: KernelSetName;
  /** Memory for what its kernels allocate. */
  readonly annex: { readonly pointer: number; readonly bytes: number };
  /** See `words.ts`. */
  readonly words: Int32Array;
  /** From 1; the caller is 0. */
  readonly rank: number;
  /** Most threads of the pool. */
  readonly threads: number;
}

/** The part of a shared memory that one thread may allocate from. */
class Annex extends Memory {
  #next: number;
  readonly #end: number;

  constructor(wasm: LinearMemory, { pointer, bytes }: Assignment["annex"]) {
    super(wasm);
    this.#next = pointer;
    this.#end = pointer + bytes;
  }

  override allocate(bytes: number): number {
    const pointer = this.#next;
    this.#next += Math.ceil(bytes / 64) * 64;
    if (this.#next > this.#end)
      throw new Error("threads: the memory for a thread's kernels is full");
    return pointer;
  }

  override release(): void {}
}

type Runs = Readonly<Record<string, (frame: number) => void>>;

/** Programs that a thread keeps linked; the one that was linked first gives way. */
const mostPrograms = 64;
/**
 * Looks at the epoch before sleeping on it: three quarters of a millisecond, about what a caller
 * takes between the windows of a stream.
 */
const looks = 300_000;

/** Runs tasks of a pool, until the pool is over. */
export function serve({ wasm, kernelSet, annex, words, rank, threads }: Assignment): void {
  const memory = new Annex(wasm, annex);
  findBlas(true);
  const kernels = makers[kernelSet](memory);
  const programs = new Map<number, Runs>();
  const runsOf = (program: number, description: number): Runs => {
    let runs = programs.get(program);
    if (runs === undefined) {
      runs = loaded(memory, kernels, description, rank);
      programs.set(program, runs);
      if (programs.size > mostPrograms) programs.delete(programs.keys().next().value!);
    }
    return runs;
  };
  const own = threadWord(rank);
  Atomics.compareExchange(words, own, 0, state.up);
  let epoch = 0;
  for (;;) {
    epoch = nextEpoch(words, epoch);
    // Who is to end takes no task with it.
    if (epoch < 0 || Atomics.load(words, own) === state.gone) return;
    // Of this epoch or a later one; of a later one, or a mixture, no task will be claimed.
    const job = words.slice(word.program, word.runs + 1);
    const at = (index: number) => job[index - word.program]!;
    if (rank >= at(word.threads)) continue;
    for (;;) {
      const task = claimTask(words, epoch, at(word.tasks));
      if (task < 0) break;
      try {
        const frame = (at(word.frames) >>> 0) + task * at(word.stride);
        const run = at(word.phase) + task * at(word.runs);
        runsOf(at(word.program), at(word.description) >>> 0)[`run${run}`]!(frame);
        words[own + 1]!++;
      } catch (error) {
        if (Atomics.compareExchange(words, word.failed, 0, rank) === 0) {
          writeText(words, threads, error instanceof Error ? error.message : String(error));
        }
      }
      if (Atomics.add(words, word.done, 1) + 1 === at(word.tasks)) Atomics.notify(words, word.done);
    }
  }
}

/** Waits for an epoch after this one. */
function nextEpoch(words: Int32Array, epoch: number): number {
  for (let look = 0; ; look++) {
    const now = Atomics.load(words, word.epoch);
    if (now !== epoch) return now;
    if (look >= looks) Atomics.wait(words as Int32Array<SharedArrayBuffer>, word.epoch, epoch);
  }
}

/** A program as `shareProgram` in `program.ts` laid it out. */
function loaded(memory: Memory, kernels: Kernels, description: number, rank: number): Runs {
  // Taken anew: the memory may have grown on another thread.
  const { buffer } = memory.wasm;
  const [code, codeBytes, links, linksBytes] = new Uint32Array(buffer, description, 4);
  const arena = new Uint32Array(buffer, description, 5 + rank)[4 + rank]!;
  const bytes = (start: number, length: number) =>
    new Uint8Array(new Uint8Array(buffer, start, length));
  const unlinked = {
    module: bytes(code!, codeBytes!),
    links: JSON.parse(new TextDecoder().decode(bytes(links!, linksBytes!))) as [string, Link][],
  };
  return linkedOn(unlinked, memory, kernels, arena);
}
