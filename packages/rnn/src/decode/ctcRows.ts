import { Tensor } from "@chronograd/autodiff";
import { textOf } from "../checkDefinition.ts";
import { checkWhole } from "./checkWhole.ts";

/** What every decoder of connectionist temporal classification takes. */
export interface CtcRowOptions {
  /** How many steps each row has: B numbers, or an int32 tensor `[B]`; all T unless given. */
  readonly lengths?: ArrayLike<number> | Tensor;
  /** The class that stands for no label; 0 unless given. */
  readonly blank?: number;
}

/** One row of a batch. */
export interface CtcRow {
  readonly steps: number;
  /** The log-probability of a class at a step from 0 on. */
  log(step: number, label: number): number;
}

/** The rows of logits, checked. */
export interface CtcRows {
  readonly rows: readonly CtcRow[];
  readonly classes: number;
  readonly blank: number;
}

/** Log-probabilities of logits `[T, B, K]`, row by row; throws a sentence for what does not fit. */
export function ctcRows(
  logits: Tensor,
  { lengths, blank = 0 }: CtcRowOptions,
  where: string,
): CtcRows {
  if (!(logits instanceof Tensor) || logits.rank !== 3 || logits.dtype === "int32") {
    const got = logits instanceof Tensor ? `${logits.dtype} [${logits.shape}]` : textOf(logits);
    throw new TypeError(
      `${where}: logits must be a tensor of floats [T, B, K] of T steps, B rows and K classes, got ${got}`,
    );
  }
  const [steps, batch, classes] = logits.shape as unknown as [number, number, number];
  checkWhole(where, "blank", blank, 0, classes - 1);
  const own = Array.from(
    lengths instanceof Tensor
      ? lengths.toTypedArray()
      : (lengths ?? new Array<number>(batch).fill(steps)),
  );
  if (own.length !== batch) {
    throw new RangeError(
      `${where}: lengths must be ${batch} numbers, one for each row, got ${own.length}`,
    );
  }
  for (const [row, length] of own.entries()) checkWhole(where, `length ${row}`, length, 0, steps);
  const logs = logits.size === 0 ? [] : logits.cast("float64").logSoftmax(-1).toTypedArray();
  const rows = own.map((length, row) => ({
    steps: length,
    log: (step: number, label: number) => logs[(step * batch + row) * classes + label]!,
  }));
  for (const [i, row] of rows.entries()) {
    for (let t = 0; t < row.steps; t++) {
      if (!Number.isNaN(row.log(t, 0))) continue;
      throw new RangeError(
        `${where}: logits of row ${i} at step ${t} hold NaN or Infinity; findNonFinite names the op that made it`,
      );
    }
  }
  return { rows, classes, blank };
}
