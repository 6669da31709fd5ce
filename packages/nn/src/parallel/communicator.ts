import { alias, giveOwner } from "@chronograd/autodiff/internal";
import { checkWhole, shown } from "../checks.ts";
import { mapTensors } from "./flatTree.ts";

/**
 * One worker's link to the others. Its three collectives wait until every worker has called them:
 * all must call the same ones, in the same order, with trees of the same structure, shapes and
 * dtypes; otherwise they throw.
 *
 * Trees hold tensors and plain numbers; whatever else stands in them stays as it is. What comes
 * back is not tracked by any tape.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { type Communicator, selfCommunicator } from "@chronograd/nn";
 *
 * // The mean of all workers' rows: sum and count are reduced in one call.
 * function meanOf(rows: number[], communicator: Communicator): number {
 *   const own = { sum: tensor(rows).sum(), count: rows.length };
 *   const { sum, count } = communicator.allReduce(own);
 *   return sum.item() / count;
 * }
 * meanOf([1, 2, 6], selfCommunicator); // => 3
 * ```
 */
export interface Communicator {
  /** Which worker this is, from 0 to `size - 1`. */
  readonly rank: number;
  /** How many workers there are. */
  readonly size: number;
  /**
   * The sum over all workers, as a new tree. It is added up in pairs, in the order of ranks:
   * r0 + r1, (r0 + r1) + r2, (r0 + r1) + (r2 + r3), ((r0 + r1) + (r2 + r3)) + r4, ... So every
   * worker holds the same bits, a run repeats them, and two workers that have each added up
   * neighbours hold the bits of four.
   */
  allReduce<T>(tree: T): T;
  /**
   * What worker `root` (0 unless given) holds, as a new tree; of the others' trees only the
   * structure counts.
   */
  broadcast<T>(tree: T, root?: number): T;
  /** Waits until every worker is here. */
  barrier(): void;
}

/** Which worker of how many: a communicator, or these two of it. */
export type RankAndSize = Pick<Communicator, "rank" | "size">;

/** New handles on the same values. */
function same<T>(tree: T, where: string): T {
  return mapTensors(tree, where, (x) => giveOwner(alias(x, x.shape)));
}

/**
 * The communicator of a worker that is alone: a sum over one worker is what it holds, bit for bit.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { selfCommunicator } from "@chronograd/nn";
 *
 * selfCommunicator.size; // => 1
 * selfCommunicator.allReduce({ W: tensor([1, 2]), count: 3 }).count; // => 3
 * ```
 */
export const selfCommunicator: Communicator = Object.freeze<Communicator>({
  rank: 0,
  size: 1,
  allReduce: (tree) => same(tree, "allReduce"),
  broadcast: (tree, root = 0) => {
    checkRoot(root, 1);
    return same(tree, "broadcast");
  },
  barrier: () => {},
});

/** Throws a sentence unless `root` is the rank of a worker. */
export function checkRoot(root: number, size: number): void {
  if (Number.isInteger(root) && root >= 0 && root < size) return;
  throw new RangeError(
    `broadcast: root must be the rank of a worker, a whole number from 0 to ${size - 1}, got ${shown(root)}`,
  );
}

/** Throws a sentence unless `rank` is that of one of `size` workers. */
export function checkRank(given: RankAndSize, where: string): void {
  const { rank, size } = given ?? ({} as RankAndSize);
  checkWhole(size, "size", where);
  if (Number.isInteger(rank) && rank >= 0 && rank < size) return;
  throw new RangeError(
    `${where}: rank must be a whole number from 0 to ${size - 1}, got ${shown(rank)}`,
  );
}

/** What went wrong on one of several workers, as every one of them and `runWorkers` throw it. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
  /** The worker that failed. */
  readonly rank: number;
  readonly size: number;

  constructor(rank: number, size: number, message: string, options?: ErrorOptions) {
    super(`worker ${rank} of ${size}: ${message}`, options);
    this.rank = rank;
    this.size = size;
  }
}
