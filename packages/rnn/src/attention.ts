import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";

/** What is attended over, the same at every step. */
export interface AttentionContext {
  /** `[B, S, D]`, such as what an encoder puts out at S steps, rows first. */
  readonly values: Tensor;
  /** int32 `[B, S]`, 0 where a row has no position, 1 where it has; all exist unless given. */
  readonly mask?: Tensor;
}

/** Throws a sentence unless a context is `{ values [B, S, D], mask? [B, S] }` of B rows. */
export function checkContext(context: AttentionContext, rows: number, columns: number): void {
  const { values, mask } = context ?? {};
  const shape = values?.shape;
  if (shape?.length !== 3 || shape[0] !== rows || shape[2] !== columns) {
    throw new RangeError(
      `attentionCell: context.values must be [${rows}, S, ${columns}], a row of the context for each position of each row of the batch, got ${shape ? `[${shape}]` : String(values)}`,
    );
  }
  checkOptions("attentionCell: context", context, ["values", "mask"]);
  if (mask === undefined) return;
  if (mask.dtype === "int32" && mask.rank === 2 && mask.shape.every((n, k) => n === shape[k]))
    return;
  throw new RangeError(
    `attentionCell: context.mask must be int32 [${shape.slice(0, 2)}], 1 where a row has a position, got ${mask.dtype} [${mask.shape}]`,
  );
}
