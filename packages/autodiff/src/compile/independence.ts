import type { FloatDType } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { isTensor, leaves, leavesWithPath } from "../tensor/tree.ts";
import {
  fills,
  gentle,
  type IndexRange,
  OtherInputs,
  type Probe,
  probes,
  reaches,
} from "./otherInputs.ts";
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
  /** The axis of rows of what the model gives. */
  readonly axis: number;
  /** Which integers the model takes, by tensor of the inputs, where that is known. */
  readonly ranges?: readonly (IndexRange | undefined)[];
  parts(inputs: Inputs): readonly Inputs[];
  run(inputs: Inputs): OfRows;
  /** The values of `rows` that a run forward gives. */
  forward(inputs: Inputs): unknown;
}

/** How rows were found to depend on each other. */
export interface Dependence {
  /**
   * Some rows are not taken alone; shards give something else than all rows; other rows change a
   * row; or rows cannot be told apart.
   */
  readonly kind: "refuses parts" | "differs" | "taints" | "refuses NaN";
  /** Which result. */
  readonly path: string;
  /** What the model said. */
  readonly message: string;
}

/**
 * What rounding may change, relative to the largest magnitude of the same tensor, and of all of
 * them: where sums cancel, nothing but rounding is left.
 */
const tolerances = { float32: [2e-5, 1e-6], float64: [1e-11, 1e-11], int32: [0, 0] } as const;

/**
 * Why the rows of a batch cannot be computed apart, in words; `undefined` where they can. See
 * `dependenceOf`.
 */
export function whyDependent<Inputs>(trial: Trial<Inputs>): string | undefined {
  const found = dependenceOf(trial);
  if (found === undefined) return undefined;
  const { kind, path, message } = found;
  return {
    "refuses parts": `the model does not take some of the rows alone (${message})`,
    differs: `some of the rows give something else than all rows do (${path || "the result"}): they depend on each other, or what is summed over them is one number already; give a loss a number for each row, as reduction: "none" does`,
    taints: "its rows depend on each other",
    "refuses NaN": `the model refuses NaN, by which rows are told apart (${message})`,
  }[kind];
}

/**
 * Whether rows depend on each other, by two findings that have to agree.
 *
 * All rows at once must give what the shards give, rows side by side and sums added up: for these
 * inputs and for others, in float64 where the model takes it. Other inputs matter, as a gate whose
 * weight is 0 passes nothing on, and a mean over a batch without padding is that of its shards.
 *
 * And rows must keep all bits when those of other shards change: to NaN, which passes through all
 * arithmetic whatever the weights are, and to large numbers of both signs, which comparisons see.
 *
 * What remains unseen is a dependence that none of these values shows: in a sum, one by a
 * comparison that comes out alike for all of them, or below 1e-11 of the largest value (1e-6 where
 * a model takes float32 only); in rows, one by a comparison that neither they nor NaN and large
 * numbers of both signs change; and one by integers of which the tried ones make no difference.
 */
export function dependenceOf<Inputs>(trial: Trial<Inputs>): Dependence | undefined {
  const others = new OtherInputs(trial);
  return differenceBetween(trial, others) ?? taintOf(trial, others);
}

/**
 * Whether shards give something else than all rows do where some integers are those that a lookup
 * passes over, as a mean over the others does.
 */
export function dependsOnIgnored<Inputs>(trial: Trial<Inputs>): boolean {
  const others = new OtherInputs(trial);
  for (const isWide of [true, false]) {
    try {
      const given = others.ignoring(isWide);
      return scope(() => differenceFor(trial, given).path !== undefined);
    } catch {
      // In the other type, then.
    }
  }
  return true;
}

/** How shards give something else than all rows do. */
function differenceBetween<Inputs>(
  trial: Trial<Inputs>,
  others: OtherInputs<Inputs>,
): Dependence | undefined {
  const compare = (given: Inputs) => scope(() => differenceFor(trial, given));
  const { result: first, message } = firstThatRuns([true, false], (isWide) => ({
    isWide,
    found: compare(others.inputs(isWide)),
  }));
  if (first === undefined) return { kind: "refuses parts", path: "", message };
  const { isWide, found } = first;
  const compareOthers = (probe: Probe) =>
    firstThatRuns(reaches, (reach) => compare(others.probe(probe, reach, isWide))).result;
  let isSeen = false;
  for (const probe of [undefined, ...probes, gentle]) {
    // Where other values of the same size are taken, and give numbers, smaller changes tell no
    // more.
    if (probe === gentle && isSeen) continue;
    const result = probe === undefined ? found : compareOthers(probe);
    if (result?.path !== undefined) return { kind: "differs", path: result.path, message: "" };
    if (probe === probes[0]) isSeen = result?.areNumbers ?? false;
  }
  return undefined;
}

/** Where a result for all rows is not that of the shards. */
interface Difference {
  readonly path: string | undefined;
  /** Whether all numbers are finite, so that something can be seen by them. */
  readonly areNumbers: boolean;
}

function differenceFor<Inputs>(trial: Trial<Inputs>, inputs: Inputs): Difference {
  const { rows, axis } = trial;
  const whole = trial.run(inputs);
  const parts = trial.parts(inputs).map((part) => trial.run(part));
  const joint = joinParts(
    parts.map((part) => part.rows),
    rows,
    axis,
  );
  // A number is a sum of what was computed in the dtype of the inputs.
  const ofNumbers = leaves(inputs).some(({ dtype }) => dtype === "float32") ? "float32" : "float64";
  const ofRows = differenceOf(whole.rows, [joint], ofNumbers);
  const sums = parts.map((part) => part.sums);
  const ofSums = differenceOf(whole.sums, sums, ofNumbers);
  return {
    path: ofRows.path ?? ofSums.path,
    areNumbers: ofRows.areNumbers && ofSums.areNumbers,
  };
}

/** The first result that there is: not every value is one that the model takes. */
function firstThatRuns<Way, Result>(
  ways: readonly Way[],
  run: (way: Way) => Result,
): { readonly result?: Result; readonly message: string } {
  let message = "";
  for (const way of ways) {
    try {
      return { result: run(way), message };
    } catch (error) {
      message = messageOf(error);
    }
  }
  return { message };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Where the sum of some trees is not another one. */
function differenceOf(
  whole: unknown,
  parts: readonly unknown[],
  ofNumbers: FloatDType,
): Difference {
  let areNumbers = true;
  const others = parts.map((part) => new Map(leavesWithPath(part, isValue)));
  const errors = leavesWithPath(whole, isValue).map(([path, value]) => {
    const numbers = numbersOf(value);
    const addends = others.map((other) => numbersOf(other.get(path)!));
    let error = addends.every(({ length }) => length === numbers.length) ? 0 : Infinity;
    for (let i = 0; i < numbers.length; i++) {
      const x = numbers[i]!;
      let sum = 0;
      for (const addend of addends) sum += addend[i]!;
      // As int32 does.
      if (typeof value !== "number" && value.dtype === "int32") sum |= 0;
      areNumbers &&= Number.isFinite(x);
      if (Object.is(sum, x) || sum === x) continue;
      const own = Math.abs(sum - x);
      error = Math.max(error, Number.isNaN(own) ? Infinity : own);
    }
    const precision = precisionOf(value, [numbers, ...addends], ofNumbers);
    return { path, error, precision, size: magnitudeOf(addends) };
  });
  const largest = errors.reduce((most, { size }) => Math.max(most, size), 0);
  const isOff = ({ error, precision, size }: (typeof errors)[number]) => {
    const [own, all] = tolerances[precision];
    return error > own * size + all * largest;
  };
  return { path: errors.find(isOff)?.path, areNumbers };
}

/** How exact numbers are: a model may compute in float32 whatever it is given. */
function precisionOf(
  value: Value,
  all: readonly ArrayLike<number>[],
  ofNumbers: FloatDType,
): keyof typeof tolerances {
  if (typeof value !== "number" && value.dtype !== "float64") return value.dtype;
  if (typeof value === "number") return ofNumbers;
  const isSingle = (x: number) => Object.is(Math.fround(x), x);
  return all.every((numbers) => Array.prototype.every.call(numbers, isSingle))
    ? "float32"
    : "float64";
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

/** How rows change with those of other shards. */
function taintOf<Inputs>(
  trial: Trial<Inputs>,
  others: OtherInputs<Inputs>,
): Dependence | undefined {
  const { rows, shards, axis } = trial;
  const bitsOf = (given: Inputs) =>
    scope(() =>
      partsOf(trial.forward(given), rows, shards, axis).map((own) =>
        leavesWithPath(own).map(([path, x]) => [path, x.toTypedArray()] as const),
      ),
    );
  const all = bitsOf(others.inputs(false));
  if (all[0]!.length === 0) return undefined;
  for (const shard of new Set([0, shards - 1])) {
    const clean = all[shard]!;
    for (const fill of fills) {
      const { result: tainted, message } = firstThatRuns(
        [...reaches, undefined],
        (reach) => bitsOf(others.tainted(fill, shard, reach))[shard]!,
      );
      if (tainted === undefined) {
        if (!Number.isNaN(fill.value)) continue;
        return { kind: "refuses NaN", path: "", message };
      }
      const path = changeIn(clean, tainted);
      if (path !== undefined) return { kind: "taints", path, message: "" };
    }
  }
  return undefined;
}

/** Which values have not the same bits, by path. */
function changeIn(
  clean: readonly (readonly [path: string, values: ArrayLike<number>])[],
  tainted: readonly (readonly [path: string, values: ArrayLike<number>])[],
): string | undefined {
  const found = clean.find(([, values], i) => {
    const others = tainted[i]![1];
    return !Array.prototype.every.call(values, (value: number, j: number) =>
      Object.is(value, others[j]),
    );
  });
  return found?.[0];
}
