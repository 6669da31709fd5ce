/** How the rows of a batch are divided among threads. */
export interface ShardingOptions {
  /**
   * Threads that run the rows of a batch where `compile` made a plan: as many as the machine runs
   * at once with `"auto"`, the default, unless one turns out to be faster. Each takes a shard of
   * the rows; with as many threads, all bits are the same. A model whose rows depend on each other
   * runs on one, and `explain()` of a window, or `how` of `unrollCost`, says so.
   */
  readonly threads?: "auto" | number;
  /**
   * Fixes the order of sums over the rows by so many shards, 1, 2, 4 or 8, whatever the number of
   * threads or, in `truncated`, ranks that run them: the bits of 1, 2 or 4 of those are the same
   * then. The rows of all ranks must be a multiple of it. Shards that one thread runs in turn take
   * some more time than the whole.
   */
  readonly shards?: 1 | 2 | 4 | 8;
}

/** The error where shards are asked for, and rows cannot be computed apart. */
export function dependent(where: string, reason: string): Error {
  return new Error(
    `${where}: shards need rows that can be computed apart, and ${reason}; leave shards out`,
  );
}
