import { alone, type Shards, threadsAtOnce } from "@chronograd/autodiff/internal";
import { textOf } from "../checkDefinition.ts";

/** How the rows of a batch are divided among threads. */
export interface ShardingOptions {
  /**
   * Threads that run the rows of a batch where `compile` made a plan: as many as the machine runs
   * at once with `"auto"`, the default, unless one turns out to be faster. Each takes a share of
   * the rows; with as many threads, all bits are the same. A model whose rows depend on each other
   * runs on one, and `explain()` of a window, or `how` of `unrollCost`, says so.
   */
  readonly threads?: "auto" | number;
  /**
   * Fixes the order of sums over the rows by so many shares, 1, 2, 4 or 8, whatever the number of
   * threads or ranks that run them: the bits of 1, 2 or 4 of those are the same then. The rows of all
   * ranks must be a multiple of it. Shares that one thread runs in turn take some more time than
   * the whole.
   */
  readonly shards?: 1 | 2 | 4 | 8;
}

/** Those options, checked. */
export interface Sharding {
  /** 0 where the machine says. */
  readonly threads: number;
  /** Of the rows at hand: those of one rank; 0 where threads say. */
  readonly shards: number;
}

/** All rows here. */
export const oneThread: Sharding = { threads: 1, shards: 0 };

/** Options of functions that divide rows. */
export const shardingNames: readonly string[] = ["threads", "shards"];

/** Throws a sentence for what does not fit. */
export function checkedSharding(
  where: string,
  { threads = "auto", shards }: ShardingOptions,
  ranks: number,
): Sharding {
  if (threads !== "auto" && !(Number.isInteger(threads) && threads >= 1 && threads <= 64)) {
    throw new RangeError(
      `${where}: threads must be "auto" or a whole number from 1 to 64, got ${textOf(threads)}; 1 runs on the calling thread alone`,
    );
  }
  if (shards !== undefined && ![1, 2, 4, 8].includes(shards)) {
    throw new RangeError(
      `${where}: shards must be 1, 2, 4 or 8, got ${textOf(shards)}; leave it out where bits may depend on the number of threads`,
    );
  }
  if (shards !== undefined && shards % ranks !== 0) {
    throw new RangeError(
      `${where}: shards must be a multiple of the ${ranks} workers, which share them, got ${shards}`,
    );
  }
  return {
    threads: threads === "auto" ? 0 : threads,
    shards: shards === undefined ? 0 : shards / ranks,
  };
}

/** The error where shards are asked for, and rows cannot be computed apart. */
export function dependent(where: string, reason: string): Error {
  return new Error(
    `${where}: shards need rows that can be computed apart, and ${reason}; leave shards out`,
  );
}

/** Products of weights and rows, over all steps of a run, from which threads are worth a trial. */
const leastWork = 2 ** 22;

/**
 * Into how many shards rows are cut, so that all are alike: as `shards` says; or as many as there
 * are threads, or the next smaller number that divides the rows.
 *
 * @param work about how many products a run has to make
 */
export function shardsOf(
  where: string,
  { threads, shards }: Sharding,
  rows: number,
  work: number,
): Shards {
  if (shards > 0) {
    if (rows % shards !== 0) {
      throw new RangeError(
        `${where}: shards must divide the rows of a batch, got ${shards} for ${rows} rows; choose another batch size, or a smaller number`,
      );
    }
    return { count: shards, threads: threads || threadsAtOnce(), isFixed: threads > 0 };
  }
  const isAuto = threads === 0;
  if (rows < 2 || (isAuto && work < leastWork)) return alone;
  const most = Math.min(rows, isAuto ? threadsAtOnce() : threads);
  let count = most;
  while (rows % count !== 0) count--;
  return count === 1 ? alone : { count, threads: count, isFixed: !isAuto };
}
