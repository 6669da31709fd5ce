import { threadsAtOnce } from "#threads";
import { describe } from "../ops/declare.ts";
import { mostThreads } from "../threads/pool.ts";
import { alone, type Shards } from "./pace.ts";

/** How the rows of a batch are divided among threads: as it was asked for, checked. */
export interface Sharding {
  /** 0 where the machine says. */
  readonly threads: number;
  /** Of the rows at hand: those of one rank; 0 where threads say. */
  readonly shards: number;
  /** Whether rows were found before to be such as can be computed apart. */
  readonly isTrusted?: boolean;
}

/** All rows here. */
export const oneThread: Sharding = { threads: 1, shards: 0 };

/** Options of functions that divide rows. */
export const shardingNames: readonly string[] = ["threads", "shards"];

/** Throws a sentence for what does not fit. */
export function checkedSharding(
  where: string,
  { threads = "auto", shards }: { readonly threads?: unknown; readonly shards?: unknown },
  ranks: number,
): Sharding {
  const isNumber = (value: unknown): value is number => Number.isInteger(value);
  if (threads !== "auto" && !(isNumber(threads) && threads >= 1 && threads <= 64)) {
    throw new RangeError(
      `${where}: threads must be "auto" or a whole number from 1 to 64, got ${textOf(threads)}; 1 runs on the calling thread alone`,
    );
  }
  if (shards === undefined) return { threads: threads === "auto" ? 0 : threads, shards: 0 };
  if (!(isNumber(shards) && [1, 2, 4, 8].includes(shards))) {
    throw new RangeError(
      `${where}: shards must be 1, 2, 4 or 8, got ${textOf(shards)}; leave it out where bits may depend on the number of threads`,
    );
  }
  if (shards % ranks !== 0) {
    throw new RangeError(
      `${where}: shards must be a multiple of the ${ranks} workers, which share them, got ${shards}`,
    );
  }
  return { threads: threads === "auto" ? 0 : threads, shards: shards / ranks };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : describe(value);
}

/** Products of weights and rows, over all steps of a run, from which threads are worth a trial. */
const leastWork = 2 ** 22;

function smallWork(work: number): string {
  const [made, least] = [work, leastWork].map((count) => count.toLocaleString("en"));
  return `a run makes ${made} products of weights and rows, and threads are tried from ${least} on`;
}

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
    const most = Math.min(threads || threadsAtOnce(), mostThreads);
    return { count: shards, threads: most, isFixed: threads > 0, isOrdered: true };
  }
  const isAuto = threads === 0;
  if (rows < 2) return alone;
  if (isAuto && work < leastWork) return { ...alone, whyAlone: smallWork(work) };
  const most = Math.min(rows, isAuto ? threadsAtOnce() : threads, mostThreads);
  let count = most;
  while (rows % count !== 0) count--;
  return count === 1 ? alone : { count, threads: count, isFixed: !isAuto };
}
