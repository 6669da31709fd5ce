import { tensor } from "../tensor/create.ts";
import type { FloatDType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { isTensor, leaves, leavesWithPath, map } from "../tensor/tree.ts";
import { joinParts, partsOf } from "./shards.ts";

/** What a model gives for some rows. */
export interface OfRows {
  /** Trees with those rows. */
  readonly rows: unknown;
  /** Sums over those rows, as trees of tensors and numbers. */
  readonly sums: unknown;
}

/** Runs of a model that tell whether its rows depend on each other. */
export interface Trial<Inputs> {
  readonly inputs: Inputs;
  readonly rows: number;
  readonly shards: number;
  /** The axis of rows, of the inputs and of what the model gives. */
  readonly axis: number;
  parts(inputs: Inputs): readonly Inputs[];
  run(inputs: Inputs): OfRows;
  /** The values of `rows` that a run forward gives. */
  forward(inputs: Inputs): unknown;
}

/** What rounding may change, relative to the largest sum of magnitudes. */
const tolerance = { float32: 2e-5, float64: 1e-11, int32: 0 } as const;

/**
 * Why the rows of a batch cannot be computed apart, in words; `undefined` where they can. Two
 * findings have to agree. A row that is NaN must not change a bit of others: NaN passes through all
 * arithmetic, whatever the weights are. And all rows at once must give what the shards give: rows
 * side by side, sums added up.
 */
export function whyDependent<Inputs>(trial: Trial<Inputs>): string | undefined {
  const { inputs, rows, shards, axis } = trial;
  let whole: OfRows;
  let parts: readonly OfRows[];
  try {
    whole = trial.run(inputs);
    parts = trial.parts(inputs).map((part) => trial.run(part));
  } catch (error) {
    return `the model does not take some of the rows alone (${messageOf(error)})`;
  }
  const joint = joinParts(
    parts.map((part) => part.rows),
    rows,
    axis,
  );
  const sums = parts.map((part) => part.sums);
  // A number is a sum of what was computed in the dtype of the inputs.
  const isSingle = leaves(inputs).some(({ dtype }) => dtype === "float32");
  const ofNumbers = isSingle ? "float32" : "float64";
  const found =
    differenceOf(whole.rows, [joint], ofNumbers) ?? differenceOf(whole.sums, sums, ofNumbers);
  if (found !== undefined) {
    return `some of the rows give something else than all rows do (${found || "the result"}): they depend on each other, or a sum over them is divided by their number, in place of reduction: "mean"`;
  }
  try {
    const clean = partsOf(trial.forward(inputs), rows, shards, axis);
    for (const shard of new Set([0, shards - 1])) {
      const given = poisoned(inputs, rows, shards, shard, axis);
      const tainted = partsOf(trial.forward(given), rows, shards, axis);
      if (!isSame(clean[shard], tainted[shard])) return "its rows depend on each other";
    }
  } catch (error) {
    return `the model refuses NaN, by which rows are told apart (${messageOf(error)})`;
  }
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Where the sum of some trees is not another one, by path.
 *
 * @param ofNumbers the dtype that numbers were computed in
 */
function differenceOf(
  whole: unknown,
  parts: readonly unknown[],
  ofNumbers: FloatDType,
): string | undefined {
  const others = parts.map((part) => new Map(leavesWithPath(part, isValue)));
  for (const [path, value] of leavesWithPath(whole, isValue)) {
    const addends = others.map((other) => numbersOf(other.get(path)!));
    const numbers = numbersOf(value);
    let error = 0;
    for (let i = 0; i < numbers.length; i++) {
      const x = numbers[i]!;
      let sum = 0;
      for (const addend of addends) sum += addend[i]!;
      if (Object.is(sum, x)) continue;
      const own = Math.abs(sum - x);
      error = Math.max(error, Number.isNaN(own) ? Infinity : own);
    }
    const dtype = typeof value === "number" ? ofNumbers : value.dtype;
    if (error > tolerance[dtype] * magnitudeOf(addends)) return path;
  }
  return undefined;
}

function magnitudeOf(addends: readonly ArrayLike<number>[]): number {
  let most = 0;
  for (const addend of addends) {
    for (let i = 0; i < addend.length; i++) {
      const size = Math.abs(addend[i]!);
      if (size > most && size < Infinity) most = size;
    }
  }
  return most;
}

type Value = Tensor | number;

function isValue(value: unknown): value is Value {
  return typeof value === "number" || isTensor(value);
}

function numbersOf(value: Value): ArrayLike<number> {
  return typeof value === "number" ? [value] : value.toTypedArray();
}

/** Inputs whose floats are NaN in all rows but those of a shard. */
function poisoned<Inputs>(
  inputs: Inputs,
  rows: number,
  shards: number,
  shard: number,
  axis: number,
): Inputs {
  const own = rows / shards;
  return map(inputs, (x: Tensor) => {
    if (x.shape[axis] !== rows || x.dtype === "int32") return x;
    const values = x.toTypedArray();
    const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    for (let i = 0; i < values.length; i++) {
      if (Math.floor((Math.floor(i / inner) % rows) / own) !== shard) values[i] = Number.NaN;
    }
    return tensor(values, { shape: x.shape, dtype: x.dtype, backend: x.backend });
  }) as Inputs;
}

/** Whether all tensors of two trees have the same bits. */
function isSame(a: unknown, b: unknown): boolean {
  const others = leaves(b) as readonly Tensor[];
  return leaves(a).every((x, i) => {
    const [own, other] = [x.toTypedArray(), others[i]!.toTypedArray()];
    return own.every((value, j) => Object.is(value, other[j]));
  });
}
