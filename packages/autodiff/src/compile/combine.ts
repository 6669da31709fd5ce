import { add, div } from "../ops/arithmetic.ts";
import { concat } from "../ops/join.ts";
import { pairwiseSum } from "../tensor/pairwiseSum.ts";
import { normalizeAxis } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { isTensor, leavesWithPath, map } from "../tensor/tree.ts";
import { type Prefix, spread } from "./prefix.ts";
import { shardOf } from "./shards.ts";

/** What becomes of the results of shards: side by side along an axis, added up, or one for all. */
export type Combination = number | "sum" | "mean" | null;

export type Value = Tensor | number;

export function isValue(value: unknown): value is Value {
  return typeof value === "number" || isTensor(value);
}

/** The axis of rows of each tensor, or null, in their order; and how many rows there are. */
export function rowsIn(
  axis: Prefix<number | null>,
  args: readonly unknown[],
): { readonly axes: readonly (number | null)[]; readonly rows: number } {
  const where = "dataParallel: axis";
  let rows: number | undefined;
  let first = "";
  const given = spread(axis, args, where, "the arguments");
  const axes = leavesWithPath(args).map(([path, { rank, shape }], i) => {
    const own = given[i]!;
    if (own === null) return null;
    const at = normalizeAxis(own, rank, `${where} of the argument at "${path}"`);
    if (rows === undefined) [rows, first] = [shape[at]!, path];
    if (shape[at] !== rows) {
      throw new RangeError(
        `${where}: the argument at "${path}" has ${shape[at]} rows along axis ${own}, and that at "${first}" has ${rows}; give null to what belongs to all rows`,
      );
    }
    return at;
  });
  if (rows === undefined) {
    throw new RangeError(
      `${where}: no tensor among the arguments has rows; call the function itself`,
    );
  }
  return { axes, rows };
}

/** The arguments of each of `count` shards. */
export function cut<Args>(
  args: Args,
  axes: readonly (number | null)[],
  count: number,
): readonly Args[] {
  return Array.from({ length: count }, (_, shard) => {
    const own = new Map<Tensor, Tensor>();
    let leaf = 0;
    return map(args, (x: Tensor) => {
      const axis = axes[leaf++]!;
      if (axis === null) return x;
      // What stands at two places stays one value.
      const part = own.get(x) ?? shardOf(x, axis, shard, count);
      own.set(x, part);
      return part;
    }) as Args;
  });
}

/** How each value of a result comes about, by path. */
export function combinationsOf(
  out: Prefix<Combination>,
  result: unknown,
): readonly (readonly [path: string, value: Value, how: Combination])[] {
  const how = spread<Combination>(out, result, "dataParallel: out", "the results", isValue);
  return leavesWithPath(result, isValue).map(([path, value], i) => {
    const own = how[i]!;
    const at = path === "" ? "the result" : `the result at "${path}"`;
    if (typeof own === "number") {
      if (typeof value === "number") {
        throw new TypeError(
          `dataParallel: out: ${at} is a number, which has no axis ${own}; use "sum", "mean", or null where it is the same for all shards`,
        );
      }
      if (value.rank === 0) {
        throw new RangeError(
          `dataParallel: out: ${at} is a scalar, which has no axis ${own}; use "sum" or "mean"`,
        );
      }
      return [path, value, normalizeAxis(own, value.rank, `dataParallel: out of ${at}`)];
    }
    if (own === "mean" && isTensor(value) && value.dtype === "int32") {
      throw new TypeError(
        `dataParallel: out: ${at} is int32, which has no mean; use "sum", or cast it to float32`,
      );
    }
    return [path, value, own];
  });
}

/** The result for all rows, from those of shards of equal size. */
export function combined<Y>(out: Prefix<Combination>, results: readonly Y[]): Y {
  const [first] = results;
  const all = results.map((result) => leavesWithPath(result, isValue).map(([, value]) => value));
  const how = combinationsOf(out, first);
  let leaf = 0;
  return map(
    first,
    () => {
      const at = leaf++;
      return together(
        how[at]![2],
        all.map((values) => values[at]!),
      );
    },
    isValue,
  ) as Y;
}

function together(how: Combination, values: readonly Value[]): Value {
  if (how === null) return values[0]!;
  if (typeof how === "number") return concat(values as readonly Tensor[], how);
  const sum = pairwiseSum(values as [Value, ...Value[]], plus);
  if (how === "sum") return sum;
  return typeof sum === "number" ? sum / values.length : div(sum, values.length);
}

function plus(a: Value, b: Value): Value {
  return typeof a === "number" ? a + (b as number) : add(a, b as Tensor);
}
