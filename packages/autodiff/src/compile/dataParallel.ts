import { describe } from "../ops/declare.ts";
import { checkOptions } from "../tensor/options.ts";
import { leaves } from "../tensor/tree.ts";
import { bySignature, type Compiled } from "./bySignature.ts";
import { checkShards } from "./checkShards.ts";
import { type Combination, combined, cut, rowsIn } from "./combine.ts";
import { type IndexRange, isIgnoring } from "./otherInputs.ts";
import { checkPrefix, type Prefix } from "./prefix.ts";
import { type Division, Replay } from "./replay.ts";
import { checkedSharding, shardingNames, shardsOf } from "./sharding.ts";

/**
 * The axis of rows of one argument, or null for what belongs to all rows; of a tree, part by part.
 */
export type RowAxis = Prefix<number | null>;

/** How the results of shards become one; of a tree, part by part. */
export type Out = Prefix<Combination>;

/**
 * How a function's arguments are cut into shards of rows, and its results put together. Options for
 * any function, without type arguments, have one axis for all arguments.
 */
export interface DataParallelOptions<Args extends readonly unknown[] = never> {
  /**
   * Where the rows of the arguments are: one axis for all, or an array of one for each argument,
   * with null for what belongs to all rows, such as parameters. In the place of each may stand a
   * tree of them that is like the argument.
   */
  readonly axis: number | { readonly [Index in keyof Args]: RowAxis };
  /**
   * What becomes of the results of shards, which are of equal size: a number puts them side by side
   * along that axis, "sum" adds them up, "mean" divides the sum by the number of shards, null says
   * that they are the same. One for all results, or a tree of them that is like the result.
   */
  readonly out: Out;
  /**
   * How many threads may run shards: with "auto", the default, as many as the machine runs at once,
   * unless one turns out to be faster. There are as many shards as threads, or the next smaller
   * number that divides the rows; for a number of threads, all bits repeat.
   */
  readonly threads?: "auto" | number;
  /**
   * Cuts into so many shards, whatever the number of threads: the same bits on 1, 2 or 4 of them.
   * It has to divide the rows.
   */
  readonly shards?: 1 | 2 | 4 | 8;
}

/**
 * The same function, run for several shards of the rows of its arguments at once, on the threads of
 * the machine: recorded once for one shard, as `compile` records it, and put together again.
 *
 * Rows are the elements along an axis, those of a batch say. Each shard runs in place: weights are
 * read where they are, nothing is sent. Sums over shards are taken in pairs, always in the same
 * order. `explain` says on how many threads it runs, and how much faster that is.
 *
 * It gives what the function gives: at the first call for each signature, shards are compared with
 * all rows, also for other values than those at hand, and rows are told apart by changing some and
 * looking at others. Where rows depend on each other, as by a mean over the batch, or `out` is
 * wrong, the call throws. A mean over rows that are not ignored (targets of `ignoreIndex`) runs
 * for all rows at once where some are ignored, since shards then have means of different weight.
 *
 * A function that cannot be cut into shards (it draws random numbers, reads values, consumes
 * arguments or checks that they are finite) runs for all rows at once, and `explain` says why.
 * Inside another function that is compiled, or where gradients flow through it, it is that function
 * itself.
 *
 * @param f takes trees of tensors, numbers and strings to a tree of tensors and numbers
 * @throws when called, if the rows of the arguments are not of one number, or cannot be computed
 *   apart
 *
 * @example
 * ```ts
 * import { dataParallel, tensor, valueAndGrad, type Tensor } from "@chronograd/autodiff";
 *
 * const loss = (w: Tensor, x: Tensor, y: Tensor) => x.matmul(w).sub(y).square().mean();
 * const step = dataParallel(valueAndGrad(loss), { axis: [null, 0, 0], out: "mean", shards: 2 });
 * const x = tensor([[1, 0], [0, 1], [1, 1], [2, 0]]);
 * const y = tensor([[1], [2], [3], [2]]);
 * const [value, gradient] = step(tensor([[0], [0]]), x, y);
 * value.item(); // => 4.5
 * gradient.toArray(); // => [[-4], [-2.5]]
 * ```
 */
export function dataParallel<Args extends unknown[], Y>(
  f: (...args: Args) => Y,
  options: DataParallelOptions<NoInfer<Args>>,
): Compiled<Args, Y> {
  const where = "dataParallel";
  if (typeof f !== "function") {
    throw new TypeError(`${where}: expected a function of tensors, got ${describe(f)}`);
  }
  checkOptions(where, options ?? null, ["axis", "out", ...shardingNames]);
  const { axis, out } = options;
  checkPrefix(
    axis,
    (value) => value === null || Number.isInteger(value),
    `${where}: axis`,
    "the axis of rows, or an array with an axis for each argument and null for what belongs to all rows, such as [null, 0]",
  );
  checkPrefix(
    out,
    (value) => value === null || Number.isInteger(value) || value === "sum" || value === "mean",
    `${where}: out`,
    'the axis along which results of shards are put side by side, "sum" or "mean", null for what all shards have in common, or a tree of these',
  );
  const sharding = checkedSharding(where, options, 1);
  return bySignature(where, f, (args) => {
    const { axes, rows } = rowsIn(axis as RowAxis, args);
    const shards = shardsOf(where, sharding, rows, Infinity);
    // Whether rows may be cut is known wherever this runs, also where one thread takes them all.
    const count = shards.count === 1 ? smallestShards(rows) : shards.count;
    if (count === 1)
      return whole(f, args, rows === 0 ? "there are no rows" : "there is only one row");
    let ranges: readonly (IndexRange | undefined)[] = [];
    let mayIgnore = true;
    const replay: Replay<Args, Y> | string = recordedForShards(f, args, {
      shards: { ...shards, count },
      parts: (given) => cut(given, axes, count),
      joined: (results) => combined(out, results),
      whyWhole: (given) => (mayIgnore ? undefined : whyWhole(given, ranges)),
    });
    if (typeof replay === "string") return whole(f, args, replay);
    ranges = replay.ranges;
    mayIgnore = !checkShards(f, { args, axes, rows, shards: count, ranges }, out);
    if (shards.count > 1) return replay;
    replay.end();
    const isAsked = sharding.threads !== 1 && sharding.shards !== 1;
    return whole(
      f,
      args,
      isAsked ? `${rows} rows cannot be divided equally among the threads there are` : undefined,
    );
  });
}

/** For all rows at once. */
function whole<Args extends unknown[], Y>(
  f: (...args: Args) => Y,
  args: Args,
  reason: string | undefined,
): Replay<Args, Y> | string {
  const replay = Replay.of(f, args);
  return typeof replay === "string" ? replay : replay.because(reason);
}

/** The recording for a shard, or the reason why there is none. */
function recordedForShards<Args extends unknown[], Y>(
  f: (...args: Args) => Y,
  args: Args,
  division: Division<Args, Y>,
): Replay<Args, Y> | string {
  try {
    return Replay.of(f, args, division);
  } catch (error) {
    // What is wrong with all rows, the function says best.
    const replay = Replay.of(f, args);
    if (typeof replay !== "string") replay.end();
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(
      `dataParallel: the function does not take a shard of the rows alone (${message}); give null as the axis of what belongs to all rows`,
    );
  }
}

/** Why arguments run for all rows at once: some of them are not looked up. */
function whyWhole(
  args: readonly unknown[],
  ranges: readonly (IndexRange | undefined)[],
): string | undefined {
  const isIgnored = leaves(args).some((x, i) => {
    const range = ranges[i];
    if (range === undefined || !isIgnoring(range)) return false;
    const { low, high } = range;
    return x.backend.kernels.firstOutOfRange(x.size, x.pointer, low, high, low) >= 0;
  });
  return isIgnored
    ? "some of their integers are ignored, and a mean over the others weighs shards differently; divide a sum by their number outside of the function instead"
    : undefined;
}

/** The smallest number of shards, more than one, that divides the rows. */
function smallestShards(rows: number): number {
  for (let count = 2; count <= rows; count++) if (rows % count === 0) return count;
  return 1;
}
