import { mul } from "../ops/arithmetic.ts";
import { reshape, transpose } from "../ops/shape.ts";
import { scope } from "../tensor/scope.ts";
import { leaves } from "../tensor/tree.ts";
import { type Combination, combinationsOf, cut, type Value } from "./combine.ts";
import { type Dependence, dependenceOf, dependsOnIgnored, type Trial } from "./independence.ts";
import type { IndexRange } from "./otherInputs.ts";
import type { Prefix } from "./prefix.ts";

/** Arguments, and how they are cut. */
export interface CutArguments<Args> {
  readonly args: Args;
  readonly axes: readonly (number | null)[];
  readonly rows: number;
  readonly shards: number;
  readonly ranges: readonly (IndexRange | undefined)[];
}

/**
 * Throws a sentence where what a function gives for all rows is not put together from what it gives
 * for shards of them.
 *
 * @returns whether that is so only as long as no integer is one that a lookup passes over
 */
export function checkShards<Args extends unknown[], Y>(
  f: (...args: Args) => Y,
  { args, axes, rows, shards, ranges }: CutArguments<Args>,
  out: Prefix<Combination>,
): boolean {
  const first = axes.findIndex((axis) => axis !== null);
  /** Of results side by side: how long they are for one row, by path. */
  const lengths = new Map<string, number>();
  let unlike: string | undefined;
  const ways = new Map<string, Combination>();
  const run = (given: Args) => {
    const own = leaves(given)[first]!.shape[axes[first]!]!;
    const results: { rows: Record<string, Value>; sums: Record<string, Value> } = {
      rows: {},
      sums: {},
    };
    for (const [path, value, how] of combinationsOf(out, f(...given))) {
      ways.set(path, how);
      if (typeof how === "number" && typeof value !== "number") {
        const length = value.shape[how]! / own;
        if (length !== (lengths.get(path) ?? length) || !Number.isInteger(length)) unlike ??= path;
        lengths.set(path, length);
        results.rows[path] = rowsFirst(value, how, own);
        continue;
      }
      // What is the same for all shards, and what is their mean, is added up by its rows.
      results.sums[path] = how === "sum" ? value : weighted(value, own);
      if (how === null && typeof value !== "number") {
        results.rows[path] = reshape(value, [1, value.size]);
      }
    }
    return results;
  };
  const trial: Trial<Args> = {
    inputs: args,
    rows,
    shards,
    axis: 0,
    ranges,
    parts: (given) => cut(given, axes, shards),
    run,
    forward: (given) => run(given).rows,
  };
  // What is wrong with all rows, or with out, is said first.
  scope(() => run(args));
  const found = dependenceOf(trial);
  const reason =
    unlike === undefined ? found && reasonOf(found, ways.get(found.path)) : lengthOf(unlike);
  if (reason !== undefined) throw new Error(`dataParallel: ${reason}`);
  return dependsOnIgnored(trial);
}

/** A result with its rows along the first axis. */
function rowsFirst(value: Exclude<Value, number>, axis: number, rows: number): Value {
  const { rank, shape, size } = value;
  const others = shape.map((_, at) => at).filter((at) => at !== axis);
  const first = rank === 1 ? value : transpose(value, [axis, ...others]);
  return shape[axis]! % rows === 0 ? reshape(first, [rows, size / rows]) : first;
}

function weighted(value: Value, rows: number): Value {
  return typeof value === "number" ? value * rows : mul(value, rows);
}

const wayOut = "where rows depend on each other, call the function itself, or compile it";

function lengthOf(path: string): string {
  return `${nameOf(path)} has not as many elements for each row along the axis that out names, whether all rows are given or a shard of them; use "sum", "mean", or null for what belongs to all rows`;
}

function reasonOf({ kind, path, message }: Dependence, how: Combination | undefined): string {
  const tried = "for these values or for others that were tried";
  const shared: Partial<Record<string, string>> = {
    sum: `the sum of what shards of them give, ${tried}: out should be "mean", or rows depend on each other`,
    mean: `the mean of what shards of them give, ${tried}: out should be "sum", or rows depend on each other`,
    null: `what each shard of them gives, ${tried}: out should be an axis, "sum" or "mean"`,
  };
  const isNot =
    shared[String(how)] ??
    `what shards of them give side by side, ${tried}: rows depend on each other`;
  return {
    "refuses parts": `the function does not take a shard of the rows alone (${message}); give null as the axis of what belongs to all rows`,
    differs: `${nameOf(path)} for all rows is not ${isNot}; ${wayOut}`,
    taints: `${nameOf(path)} changes in some rows when others change; ${wayOut}`,
    "refuses NaN": `the function refuses NaN, by which rows are told apart (${message}); ${wayOut}`,
  }[kind];
}

function nameOf(path: string): string {
  return path === "" ? "the result" : `the result at "${path}"`;
}
