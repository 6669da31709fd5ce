import { type Tensor, where } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";

/** What is attended over, the same at every step. */
export interface AttentionContext {
  /** `[B, S, D]`, such as what an encoder puts out at S steps, rows first. */
  readonly values: Tensor;
  /** int32 `[B, S]`, 0 where a row has no position, 1 where it has; all exist unless given. */
  readonly mask?: Tensor;
}

/**
 * `weights = softmax(values query')` over the positions that exist, and `read = weights values`.
 *
 * @param query `[B, D]`
 * @returns `weights [B, S]` and `read [B, D]`; zeros for a row without any position
 */
export function attend(
  { values: given, mask: marks }: AttentionContext,
  query: Tensor,
): { readonly weights: Tensor; readonly read: Tensor } {
  const [B, S, D] = given.shape as [number, number, number];
  const mask = marks?.notEqual(0);
  // What stands at a position that does not exist may be NaN, so it is not multiplied by 0.
  const values = mask ? where(mask.reshape([B, S, 1]), given, 0) : given;
  const scores = query.reshape([B, 1, D]).matmul(values, { transposeB: true }).reshape([B, S]);
  const weights = mask ? maskedSoftmax(scores, mask) : scores.softmax();
  return { weights, read: weights.reshape([B, 1, S]).matmul(values).reshape([B, D]) };
}

function maskedSoftmax(scores: Tensor, mask: Tensor): Tensor {
  // The softmax of nothing would be NaN: a row without any position takes all, and gives none.
  const taken = where(mask.max(-1, { keepDims: true }), mask, 1);
  return where(mask, where(taken, scores, -Infinity).softmax(), 0);
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
