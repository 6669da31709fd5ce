import { type Tensor, tree } from "@chronograd/autodiff";
import { checkWhole, shown } from "../checks.ts";
import { checkRank, type RankAndSize } from "./communicator.ts";

/**
 * The rows that are this worker's, of `count`: from `start` (included) to `end` (excluded).
 * Workers' numbers of rows differ by one at most.
 *
 * @throws when there are fewer rows than workers, or `rank` is not one of `size` workers
 *
 * @example
 * ```ts
 * import { shardRows } from "@chronograd/nn/parallel";
 *
 * const ranks = [0, 1, 2];
 * const parts = ranks.map((rank) => shardRows(7, { rank, size: 3 }));
 * parts.map(({ start, end }) => [start, end]); // => [[0, 2], [2, 4], [4, 7]]
 * ```
 */
export function shardRows(
  count: number,
  communicator: RankAndSize,
): { start: number; end: number } {
  checkRank(communicator, "shardRows");
  const { size } = communicator;
  if (!Number.isSafeInteger(count) || count < size) {
    throw new RangeError(
      `shardRows: every one of ${size} workers needs a row, got ${shown(count)} rows; start fewer workers, or take a larger batch`,
    );
  }
  return rowsOf(count, communicator);
}

/** Some rows of `count` that are one worker's, or none. */
function rowsOf(count: number, { rank, size }: RankAndSize): { start: number; end: number } {
  const before = (worker: number) => Math.floor((worker * count) / size);
  return { start: before(rank), end: before(rank + 1) };
}

/**
 * This worker's items of a list, in their order: as `shardRows` deals rows out, and none for some
 * workers where there are fewer items than workers.
 *
 * @throws when `rank` is not one of `size` workers, or `items` is no array
 *
 * @example
 * ```ts
 * import { shardList } from "@chronograd/nn/parallel";
 *
 * const words = ["fugue", "aria", "suite"];
 * [0, 1].map((rank) => shardList(words, { rank, size: 2 })); // => [["fugue"], ["aria", "suite"]]
 * shardList(["duo"], { rank: 0, size: 2 }); // => []
 * ```
 */
export function shardList<Item>(items: readonly Item[], communicator: RankAndSize): Item[] {
  checkRank(communicator, "shardList");
  if (!Array.isArray(items)) {
    throw new TypeError(
      `shardList: items must be an array, got ${shown(items)}; shard takes rows out of tensors`,
    );
  }
  const { start, end } = rowsOf(items.length, communicator);
  return items.slice(start, end);
}

/**
 * This worker's rows of every tensor in a tree: `rank * B / size` up to `(rank + 1) * B / size`, of
 * the B along an axis.
 *
 * @param axis where the rows are: 0 unless given, for `[B, ...]`; 1 for time-major `[T, B, ...]`
 * @throws when there are fewer rows than workers, tensors have different numbers of rows, or `rank`
 *   is not one of `size` workers
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { shard } from "@chronograd/nn/parallel";
 *
 * const batch = { inputs: tensor([[1], [2], [3]]), targets: tensor([10, 20, 30]) };
 * shard(batch, { rank: 1, size: 2 }).targets.toArray(); // => [20, 30]
 * ```
 */
export function shard<T>(values: T, communicator: RankAndSize, axis = 0): T {
  checkWhole(axis, "axis", "shard", 0);
  checkRank(communicator, "shard");
  let first: { path: string; rows: number } | undefined;
  return tree.map(values, (x: Tensor, path) => {
    const rows = x.shape[axis];
    if (rows === undefined) {
      throw new RangeError(
        `shard: the tensor${at(path)} has no axis ${axis}, its shape is [${x.shape}]; name the axis of the batch`,
      );
    }
    first ??= { path, rows };
    if (rows !== first.rows) {
      throw new RangeError(
        `shard: all tensors must have the same number of rows along axis ${axis}, got ${first.rows}${at(first.path)} and ${rows}${at(path)}`,
      );
    }
    const { start, end } = shardRows(rows, communicator);
    return x.slice([...Array<null>(axis).fill(null), [start, end]]);
  }) as T;
}

function at(path: string): string {
  return path === "" ? "" : ` at "${path}"`;
}
