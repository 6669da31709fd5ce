import { type Backend, type DType, type Tensor, tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkWhole, shown } from "../checks.ts";

/** A sequence of any length: a number for each step, or a vector for each step. */
export type RaggedSequence = ArrayLike<number> | ArrayLike<ArrayLike<number>>;

/** Options of `padded`. */
export interface PaddedOptions {
  /** Unless given, float32 for sequences of vectors and int32 for sequences of numbers. */
  readonly dtype?: DType;
  /** What stands behind the end of a sequence; 0 unless given. */
  readonly fill?: number;
  /** Defaults to `defaultBackend()`. */
  readonly backend?: Backend;
}

/** Sequences of several lengths as one tensor. */
export interface Padded {
  /** `[T, B, I]` of vectors and `[T, B]` of numbers, with the T of the longest sequence. */
  readonly values: Tensor;
  /** The B lengths, as `unroll` and `truncated` take them. */
  readonly lengths: number[];
  /** int32 `[T, B]`: 1 where a row has a step, for losses outside of the loop. */
  readonly mask: Tensor;
}

/**
 * Sequences of several lengths, time first and padded to the longest of them.
 *
 * @param sequences B of them. Vectors must all have one width; a sequence may have no step. Numbers
 *   are whole ones, such as symbols, unless `dtype` is a float; NaN and infinity are data in a
 *   float
 * @throws without sequences, when none of them has a step, for vectors of other widths, for numbers
 *   and vectors together, and for what is no number or, in int32, no whole one
 *
 * @example
 * ```ts
 * import { padded } from "@chronograd/nn/data";
 *
 * const { values, lengths, mask } = padded([[7, 8, 9], [5]]);
 * values.toArray(); // => [[7, 5], [8, 0], [9, 0]]
 * lengths; // => [3, 1]
 * mask.toArray(); // => [[1, 1], [1, 0], [1, 0]]
 *
 * padded([[[0.5, 1]], [[2, 3], [4, 5]]]).values.shape; // => [2, 2, 2]
 * ```
 */
export function padded(sequences: readonly RaggedSequence[], options: PaddedOptions = {}): Padded {
  checkOptions("padded", options, ["dtype", "fill", "backend"]);
  checkSequences(sequences);
  const lengths = Array.from(sequences, ({ length }) => length);
  const width = widthOf(sequences);
  const { dtype = width === undefined ? "int32" : "float32", fill = 0, backend } = options;
  const [steps, rows] = [Math.max(...lengths), sequences.length];
  const size = width ?? 1;
  // Numbers are exact here; `tensor` rounds them to the dtype, and refuses one that is none.
  const flat = new Float64Array(steps * rows * size).fill(numberOf(fill, dtype, () => "fill"));
  const mask = new Int32Array(steps * rows);
  for (const [row, sequence] of sequences.entries()) {
    for (let t = 0; t < sequence.length; t++) {
      const place = () => `step ${t} of sequence ${row}`;
      const vector = vectorOf(sequence[t], width, place);
      const from = (t * rows + row) * size;
      for (let i = 0; i < size; i++) flat[from + i] = numberOf(vector[i], dtype, place);
      mask[t * rows + row] = 1;
    }
  }
  const on = backend && { backend };
  const shape = width === undefined ? [steps, rows] : [steps, rows, width];
  return {
    values: tensor(flat, { dtype, shape, ...on }),
    lengths,
    mask: tensor(mask, { shape: [steps, rows], ...on }),
  };
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function checkSequences(sequences: readonly RaggedSequence[]): void {
  if (!Array.isArray(sequences) || sequences.length === 0) {
    throw new TypeError(
      `padded: sequences must be an array of at least one sequence, got ${Array.isArray(sequences) ? "none" : shown(sequences)}`,
    );
  }
  for (const [row, sequence] of sequences.entries()) {
    if (isList(sequence)) continue;
    throw new TypeError(
      `padded: sequence ${row} must be an array of numbers or of vectors, got ${shown(sequence)}`,
    );
  }
}

/** How many numbers each step has; undefined where a step is a number. */
function widthOf(sequences: readonly RaggedSequence[]): number | undefined {
  const sequence = sequences.find(({ length }) => length > 0);
  if (sequence === undefined) {
    throw new RangeError(
      "padded: no sequence has a step, so nothing says whether they hold numbers or vectors; leave such a batch out",
    );
  }
  const first: unknown = sequence[0];
  if (!isList(first)) return undefined;
  checkWhole(first.length, "the width of a vector", "padded");
  return first.length;
}

/** What a step holds, checked to be like the first step of all. */
function vectorOf(
  step: unknown,
  width: number | undefined,
  place: () => string,
): ArrayLike<unknown> {
  if (width === undefined && !isList(step)) return [step];
  if (isList(step) && step.length === width) return step;
  const expected = width === undefined ? "a number" : `a vector of ${width} numbers`;
  throw new TypeError(
    `padded: ${place()} must be ${expected} as the first step is, got ${isList(step) ? `a vector of ${step.length}` : shown(step)}`,
  );
}

function numberOf(value: unknown, dtype: DType, place: () => string): number {
  if (typeof value === "number" && (dtype !== "int32" || value === (value | 0))) return value;
  const expected = dtype === "int32" ? "whole numbers of 32 bits" : "numbers";
  const advice = dtype === "int32" ? '; dtype: "float32" takes any number' : "";
  throw new TypeError(`padded: ${place()}: expected ${expected}, got ${shown(value)}${advice}`);
}
