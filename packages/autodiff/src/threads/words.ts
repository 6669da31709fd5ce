/**
 * Words of 32 bits that a pool and its threads share, beside the kernel memory. Everything about
 * one job stands here; `claim` says whether it still counts.
 */
export const word = {
  /** Raised with each job: threads without work sleep on it. -1 ends them. */
  epoch: 0,
  /** The epoch's low bits, and how many tasks of its job were claimed: see `claimOf`. */
  claim: 32,
  /** Tasks that were done. */
  done: 64,
  /** The thread whose task threw, or 0; its sentence stands in the text. */
  failed: 96,
  textLength: 97,
  /** Of the job: its program, by number and by the address of what describes it, ... */
  program: 98,
  description: 99,
  /**
   * ... the run, how many tasks there are, the address of the first frame, bytes to the next, ...
   */
  phase: 100,
  tasks: 101,
  frames: 102,
  stride: 103,
  /** ... how many threads take part, with the caller, and how many runs on the next task's is. */
  threads: 104,
  runs: 105,
} as const;

/** What a thread is: 0 before it has started. */
export const state = { up: 1, gone: 2 } as const;

/** Where the state of a thread stands, and after it, how many tasks it has done. */
export function threadWord(rank: number): number {
  return 128 + 32 * rank;
}

/** Letters of an error's sentence. */
const longestText = 2048;

/** Words before the text. */
function textAt(threads: number): number {
  return threadWord(threads);
}

export function bytesFor(threads: number): number {
  return 4 * textAt(threads) + 2 * longestText;
}

/** Tasks of one job. */
export const mostTasks = 255;

/** The word `claim` of an epoch, after so many claims. */
export function claimOf(epoch: number, claimed: number): number {
  return (epoch << 8) | claimed;
}

/** Posts a job, from `program` to `runs`, when no task of the one before is left. */
export function postJob(words: Int32Array, epoch: number, job: readonly number[]): void {
  // Closed, so that who is late takes nothing of it; then the job; then open.
  Atomics.store(words, word.claim, claimOf(epoch, mostTasks));
  words.set(job, word.program);
  words[word.failed] = 0;
  Atomics.store(words, word.done, 0);
  Atomics.store(words, word.claim, claimOf(epoch, 0));
  Atomics.store(words, word.epoch, epoch);
}

/**
 * The next task of a job, or -1 when there is none, or the job is over: whoever wakes up late finds
 * the claims of another epoch, and what it read of the job before does not matter.
 */
export function claimTask(words: Int32Array, epoch: number, tasks: number): number {
  for (;;) {
    const seen = Atomics.load(words, word.claim);
    const task = seen & 255;
    if (seen !== claimOf(epoch, task) || task >= tasks) return -1;
    if (Atomics.compareExchange(words, word.claim, seen, seen + 1) === seen) return task;
  }
}

export function writeText(words: Int32Array, threads: number, text: string): void {
  const letters = new Uint16Array(words.buffer, 4 * textAt(threads), longestText);
  const length = Math.min(text.length, longestText);
  for (let i = 0; i < length; i++) letters[i] = text.charCodeAt(i);
  words[word.textLength] = length;
}

export function readText(words: Int32Array, threads: number): string {
  const length = words[word.textLength]!;
  const letters = new Uint16Array(words.buffer, 4 * textAt(threads), length);
  return String.fromCharCode(...letters);
}
