import { type Backend, concat, Tensor, tensor, zeros } from "@chronograd/autodiff";
import { describeTensor, isTracing } from "@chronograd/autodiff/internal";
import { kindOf } from "../findTensor.ts";

/**
 * Which rows of a time step begin afresh, and which have a step at all: int32, of 0 and 1. A row
 * that is reset and masked has the initial state from there on.
 */
export interface Marks {
  /**
   * `[B]`; 1 where a row begins afresh before this step: from the model's initial state, and
   * without a gradient to what lies before.
   */
  readonly reset?: Tensor;
  /**
   * `[B]`; 0 where a row has no step here: its state goes on unchanged, its output and its loss do
   * not exist, and what stands in its input and target is never read.
   */
  readonly mask?: Tensor;
}

/** As `Marks`, for a whole sequence of T steps and B rows. */
export interface SequenceMarks {
  /**
   * How many steps each of the B rows has, from the first on: 0 to T; numbers, or an int32 tensor
   * `[B]`, which may differ from call to call of a compiled function.
   */
  readonly lengths?: ArrayLike<number> | Tensor;
  /** `[T, B]`, int32; 0 where a row has no step. With `lengths`, a step is where both say so. */
  readonly mask?: Tensor;
  /** `[T, B]`, int32; 1 where a row begins afresh before a step, as `Marks.reset`. */
  readonly resets?: Tensor;
}

/** Throws a sentence unless a mark is an int32 tensor of 0 and 1, of this shape. */
export function checkMark(what: string, mark: unknown, shape: readonly number[]): void {
  const expected = `int32 [${shape}] of 0 and 1`;
  if (!(mark instanceof Tensor)) {
    throw new TypeError(
      `${what} must be a tensor, ${expected}, got ${kindOf(mark)}; tensor(Int32Array.of(...), { shape: [${shape}] }) makes one`,
    );
  }
  if (mark.dtype !== "int32") {
    throw new TypeError(
      `${what} must be ${expected}, got ${describeTensor(mark)}; convert it with cast(x, "int32")`,
    );
  }
  if (mark.shape.join() !== shape.join()) {
    throw new RangeError(
      `${what} must be ${expected}, got [${mark.shape}]; give one for each row${shape.length > 1 ? " of each step, time first" : ""}`,
    );
  }
  if (isTracing()) return;
  const other = mark.toTypedArray().find((value) => value !== 0 && value !== 1);
  if (other !== undefined) throw new RangeError(`${what} must be 0 or 1 everywhere, got ${other}`);
}

/** The marks of a sequence, checked and with its lengths in the mask. */
export type CheckedMarks = Pick<SequenceMarks, "mask" | "resets">;

/** The marks of step `t`, from 1. */
export function marksAt({ mask, resets }: CheckedMarks, t: number): Marks {
  return {
    ...(resets && { reset: resets.slice([t - 1]) }),
    ...(mask && { mask: mask.slice([t - 1]) }),
  };
}

/** @param reverse whether the steps run from the last to the first */
export function checkedMarks(
  where: string,
  { lengths, mask, resets }: SequenceMarks,
  steps: number,
  batch: () => number,
  backend: Backend | undefined,
  reverse = false,
): CheckedMarks {
  if (lengths === undefined && mask === undefined && resets === undefined) return {};
  const rows = batch();
  if (mask !== undefined) checkMark(`${where}: mask`, mask, [steps, rows]);
  if (resets !== undefined) checkMark(`${where}: resets`, resets, [steps, rows]);
  const isBefore =
    lengths === undefined ? undefined : isBeforeEnd(where, lengths, steps, rows, backend);
  const both = (mark: Tensor | undefined) => (isBefore && mark ? mark.mul(isBefore) : mark);
  const present = mask === undefined ? isBefore : both(mask);
  // Nothing is read behind the end of a row, no reset either.
  const own = both(resets);
  const boundaries = own && (reverse ? shifted(own) : own);
  return { ...(present && { mask: present }), ...(boundaries && { resets: boundaries }) };
}

/** A reset lies between step t - 1 and step t: backwards, it comes before step t - 1. */
function shifted(resets: Tensor): Tensor {
  const [steps, rows] = resets.shape as [number, number];
  const { dtype, backend } = resets;
  return concat([resets.slice([[1, steps]]), zeros([1, rows], { dtype, backend })]);
}

/** The mask `[T, B]` that lengths give. */
function isBeforeEnd(
  where: string,
  lengths: ArrayLike<number> | Tensor,
  steps: number,
  rows: number,
  backend: Backend | undefined,
): Tensor {
  const isArray = Array.isArray(lengths) || ArrayBuffer.isView(lengths);
  const given = lengths instanceof Tensor ? lengths : isArray ? Array.from(lengths) : undefined;
  const size = given instanceof Tensor ? given.size : given?.length;
  const isVector = !(given instanceof Tensor) || (given.rank === 1 && given.dtype === "int32");
  if (given === undefined || size !== rows || !isVector) {
    const got =
      given instanceof Tensor
        ? describeTensor(given)
        : given === undefined
          ? kindOf(lengths)
          : `${size} of them`;
    throw new TypeError(
      `${where}: lengths must be ${rows} whole numbers, one for each row, as an array or an int32 tensor, got ${got}`,
    );
  }
  const place = backend && { backend };
  if (isTracing() && given instanceof Tensor) {
    const times = Int32Array.from({ length: steps }, (_, t) => t);
    return tensor(times, { shape: [steps, 1], ...place }).less(given);
  }
  const values = given instanceof Tensor ? Array.from(given.toTypedArray()) : given;
  for (const [row, length] of values.entries()) {
    if (Number.isInteger(length) && length >= 0 && length <= steps) continue;
    throw new RangeError(
      `${where}: the length of row ${row} must be a whole number from 0 to ${steps}, the steps of the sequence, got ${length}`,
    );
  }
  return tensor(
    Int32Array.from({ length: steps * rows }, (_, i) =>
      Math.floor(i / rows) < values[i % rows]! ? 1 : 0,
    ),
    { shape: [steps, rows], ...place },
  );
}
