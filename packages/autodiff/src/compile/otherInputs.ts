import { tensor } from "../tensor/create.ts";
import type { DType, TypedArray } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { leaves, map } from "../tensor/tree.ts";

/** Integers that a model takes: from `low` to below `high`, or `except`. */
export interface IndexRange {
  readonly low: number;
  readonly high: number;
  readonly except: number;
}

/** Whether there is an integer that is not looked up: one that is out of range. */
export function isIgnoring({ low, high, except }: IndexRange): boolean {
  return except < low || except >= high;
}

/** Inputs, and how many rows of them go into each shard. */
export interface Cut<Inputs> {
  readonly inputs: Inputs;
  readonly rows: number;
  readonly shards: number;
  readonly ranges?: readonly (IndexRange | undefined)[];
  parts(inputs: Inputs): readonly Inputs[];
}

/** What rows of other shards are filled with. */
export interface Fill {
  /** Floats: NaN, or a multiple of the largest magnitude. */
  readonly value: number;
  /** Integers: those of a row of the shard, or the largest or the smallest one. */
  readonly integers: "own" | "largest" | "smallest";
}

/** What the rows of other shards are changed to, while those of a shard have to stay. */
export const fills: readonly Fill[] = [
  { value: Number.NaN, integers: "own" },
  { value: 1e4, integers: "largest" },
  { value: -1e4, integers: "smallest" },
];

/**
 * How far integers may be from those at hand where their range is not known: the first that the
 * model takes.
 */
export const reaches: readonly number[] = [8, 1, -1, 0];

/** How values of other inputs come about from those at hand. */
export interface Probe {
  /** Of the noise, relative to the root of the mean square; more of it changes places, too. */
  readonly noise: number;
  /**
   * Of rows: those of each second shard have the other sign, and some of these rows are empty; from
   * 100 on, all of a shard have one sign. 1 leaves rows as large as they are.
   */
  readonly scale: number;
}

/** Other inputs for which shards are compared with all rows. */
export const probes: readonly Probe[] = [
  { noise: 0.5, scale: 2 },
  { noise: 0.5, scale: 1e4 },
  { noise: 0.5, scale: -1e4 },
];

/** Where those give infinity or NaN. */
export const gentle: Probe = { noise: 0.05, scale: 1 };

/** What is known of one tensor of the inputs. */
interface Leaf {
  readonly isInt: boolean;
  /** The axis along which it is cut. */
  readonly axis: number | undefined;
  /** How many elements lie between one row and the next. */
  readonly inner: number;
  readonly range: IndexRange | undefined;
  readonly seed: number;
}

/** Changes the elements of a tensor; `rowOf` says in which row one stands. */
type Change = (values: TypedArray, leaf: Leaf, rowOf: (i: number) => number) => void;

/** Inputs like some others, with other values. */
export class OtherInputs<Inputs> {
  readonly #cut: Cut<Inputs>;
  readonly #leaves: ReadonlyMap<Tensor, Leaf>;

  constructor(cut: Cut<Inputs>) {
    this.#cut = cut;
    const parts = leaves(cut.parts(cut.inputs)[0]);
    const all = leaves(cut.inputs).map((x, i): [Tensor, Leaf] => {
      const axis = x.shape.findIndex((length, at) => length !== parts[i]!.shape[at]);
      const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      const isInt = x.dtype === "int32";
      const range = cut.ranges?.[i];
      return [x, { isInt, axis: axis < 0 ? undefined : axis, inner, range, seed: i }];
    });
    this.#leaves = new Map(all);
  }

  /** The inputs; where `isWide`, all floats are float64. */
  inputs(isWide: boolean): Inputs {
    return this.#changed(isWide, () => {});
  }

  /**
   * Inputs some of whose integers are the ones that are not looked up: more in one shard than in
   * others.
   */
  ignoring(isWide: boolean): Inputs {
    const { rows, shards } = this.#cut;
    return this.#changed(isWide, (values, { axis, range }, rowOf) => {
      if (axis === undefined || range === undefined || !isIgnoring(range)) return;
      for (let i = 0; i < values.length; i++) {
        if (isEmptied(rowOf(i), rows / shards)) values[i] = range.except;
      }
    });
  }

  /** Inputs whose rows of other shards are something else; of integers where there is a reach. */
  tainted({ value, integers }: Fill, shard: number, reach: number | undefined): Inputs {
    const { rows, shards } = this.#cut;
    const own = rows / shards;
    return this.#changed(false, (values, { axis, inner, range, isInt }, rowOf) => {
      if (axis === undefined || (isInt && reach === undefined)) return;
      const [low, high] = isInt ? limitsOf(values, range, reach!) : [0, 0];
      const limit = integers === "largest" ? high : low;
      const fill = isInt ? limit : value * largest(values);
      for (let i = 0; i < values.length; i++) {
        const row = rowOf(i);
        if (Math.floor(row / own) === shard) continue;
        const isCopied = isInt && integers === "own";
        values[i] = isCopied ? values[i + (shard * own - row) * inner]! : fill;
      }
    });
  }

  /** Inputs of other values, for all rows and for what belongs to all. */
  probe({ noise, scale }: Probe, reach: number, isWide: boolean): Inputs {
    const { rows, shards } = this.#cut;
    const isOneSign = Math.abs(scale) >= 100;
    return this.#changed(isWide, (values, { axis, range, seed, isInt }, rowOf) => {
      if (isInt && axis === undefined) return;
      const random = randomFrom(seed);
      const [low, high] = isInt ? limitsOf(values, range, reach) : [0, 0];
      const isSigned = values.some((value) => value < 0) || values.every((value) => value === 0);
      const isWhole = values.every(Number.isInteger) && values.some((value) => value !== values[0]);
      // What is shared stays as small: weights of a recurrence would enlarge rounding.
      const rms = rootMeanSquare(values, axis === undefined ? 0.01 : 1);
      if (axis !== undefined && noise > 0.1 && !isInt) shuffle(values, random);
      for (let i = 0; i < values.length; i++) {
        const row = rowOf(i);
        const isEmpty = scale !== 1 && axis !== undefined && isEmptied(row, rows / shards);
        if (isInt) {
          values[i] = isEmpty ? low : low + Math.floor(random() * (high - low + 1));
          continue;
        }
        if (!isWhole) {
          const before = Number.isFinite(values[i]) ? values[i]! : rms;
          const noisy = (1 - noise) * before + noise * rms * (2 * random() - 1);
          values[i] = isSigned ? noisy : Math.abs(noisy);
        }
        if (isEmpty) values[i] = 0;
        else if (axis !== undefined) {
          const isOdd = Math.floor((row * shards) / rows) % 2 === 1;
          if (isOneSign && isSigned) values[i] = Math.abs(values[i]!);
          values[i]! *= scale === 1 || !isSigned ? Math.abs(scale) : isOdd ? -2 * scale : scale;
        }
      }
    });
  }

  #changed(isWide: boolean, change: Change): Inputs {
    const { rows } = this.#cut;
    const made = new Map<Tensor, Tensor>();
    return map(this.#cut.inputs, (x: Tensor) => {
      const known = made.get(x);
      if (known !== undefined) return known;
      const leaf = this.#leaves.get(x)!;
      const dtype: DType = isWide && x.dtype === "float32" ? "float64" : x.dtype;
      const own = x.toTypedArray();
      const values = dtype === x.dtype ? own : new Float64Array(own);
      const { range, inner } = leaf;
      if (range !== undefined && isIgnoring(range)) {
        for (const [i, value] of values.entries())
          if (value === range.except) values[i] = range.low;
      }
      change(values, leaf, (i) => Math.floor(i / inner) % rows);
      const other = tensor(values, { shape: x.shape, dtype, backend: x.backend });
      made.set(x, other);
      return other;
    }) as Inputs;
  }
}

/** Whether a row is emptied: some are in each second shard, and none in the others. */
function isEmptied(row: number, own: number): boolean {
  return Math.floor(row / own) % 2 === 1 && (row % own) % 2 === 0;
}

/** The smallest and the largest integer: of those that may be, where that is known. */
function limitsOf(
  values: TypedArray,
  range: IndexRange | undefined,
  reach: number,
): [low: number, high: number] {
  if (range !== undefined) return [range.low, range.high - 1];
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low + Math.min(reach, 0), high + Math.max(reach, 0)];
}

/** The largest finite magnitude, or 1 where all is 0. */
function largest(values: TypedArray): number {
  let most = 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > most && size < Infinity) most = size;
  }
  return most || 1;
}

/** The root of the mean square of what is finite; what is said where that is 0. */
function rootMeanSquare(values: TypedArray, ofZeros: number): number {
  const scale = largest(values);
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    sum += (value / scale) ** 2;
    count++;
  }
  return scale * Math.sqrt(sum / count) || ofZeros;
}

/** Fisher & Yates's exchanges. */
function shuffle(values: TypedArray, random: () => number): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}

/** Numbers from 0 to 1, by the mixer of MurmurHash3 (Appleby 2011) on a counter. */
function randomFrom(seed: number): () => number {
  let counter = Math.imul(seed + 1, 0x9e3779b9);
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let z = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
}
