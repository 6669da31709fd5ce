import {
  arange,
  isTensor,
  type Tensor,
  type TensorOptions,
  tensor,
  where,
} from "@chronograd/autodiff";
import { checkOptions, describeTensor } from "@chronograd/autodiff/internal";
import { shown } from "../checks.ts";

/** Options of `dotProductAttention`. */
export interface AttentionOptions {
  /**
   * int32 `[B, S]`: 0 where a row has no position. All exist unless `mask` or `lengths` is given.
   */
  readonly mask?: Tensor;
  /**
   * How many positions each of the B rows has, from the first on: whole numbers, or int32 `[B]`.
   * With `mask`, a position exists where both say so.
   */
  readonly lengths?: ArrayLike<number> | Tensor;
  /** What scores are multiplied by; `1 / sqrt(D)` unless given. */
  readonly scale?: number;
}

/** What attention gives. */
export interface Attention {
  /** How much a query attends to each position, `[B, Q, S]`; the sum over S is 1. */
  readonly weights: Tensor;
  /** What a query reads, `[B, Q, E]`: the sum of the values by these weights. */
  readonly read: Tensor;
}

/**
 * Each of Q queries reads from S positions: `weights = softmax(scale query keys')`,
 * `read = weights values` (Vaswani et al. 2017, Attention is all you need, eq. 1; with `scale: 1`
 * the dot score of Luong, Pham & Manning 2015).
 *
 * Positions that do not exist are left out by selection: their weight is exactly 0, and what stands
 * there, even NaN, reaches neither results nor gradients. A row without any position reads zeros.
 *
 * Keys are given as they are. Project them once for a sequence, not once for each query.
 *
 * @param query `[B, Q, D]`
 * @param keys `[B, S, D]`
 * @param values `[B, S, E]`
 * @throws when shapes do not fit each other, a mask is not int32 `[B, S]`, lengths are not B whole
 *   numbers from 0 to S, or the scale is not finite
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { dotProductAttention } from "@chronograd/nn";
 *
 * const keys = tensor([[[10, 0], [0, 10], [NaN, NaN]]]);
 * const values = tensor([[[1], [2], [NaN]]]);
 * const query = tensor([[[0, 90]]]);
 * const { weights, read } = dotProductAttention(query, keys, values, { lengths: [2] });
 * weights.toArray(); // => [[[0, 1, 0]]]
 * read.toArray(); // => [[[2]]]
 * ```
 */
export function dotProductAttention(
  query: Tensor,
  keys: Tensor,
  values: Tensor,
  options: AttentionOptions = {},
): Attention {
  checkOptions(name, options, ["mask", "lengths", "scale"]);
  checkShapes(query, keys, values);
  const { scale = 1 / Math.sqrt(Math.max(1, query.shape[2]!)) } = options;
  if (!Number.isFinite(scale)) {
    throw new RangeError(`${name}: scale must be a finite number, got ${shown(scale)}`);
  }
  const mask = maskOf(keys, options);
  // What stands at a position that does not exist may be NaN, so it is not multiplied by 0.
  const present = (x: Tensor) => (mask ? where(mask.expandDims(-1), x, 0) : x);
  const known = present(keys);
  const scores = (scale === 1 ? query : query.mul(scale)).matmul(known, { transposeB: true });
  const weights = mask ? maskedSoftmax(scores, mask.expandDims(1)) : scores.softmax();
  return { weights, read: weights.matmul(values === keys ? known : present(values)) };
}

const name = "dotProductAttention";

function maskedSoftmax(scores: Tensor, mask: Tensor): Tensor {
  // The softmax of nothing would be NaN: a row without any position takes all, and gives none.
  const taken = where(mask.max(-1, { keepDims: true }), mask, 1);
  return where(mask, where(taken, scores, -Infinity).softmax(), 0);
}

function checkShapes(query: Tensor, keys: Tensor, values: Tensor): void {
  const given = { query, keys, values };
  for (const [what, x] of Object.entries(given)) {
    if (isTensor(x) && x.rank === 3 && x.dtype !== "int32") continue;
    throw new TypeError(
      `${name}: ${what} must be a float tensor [rows, ${what === "query" ? "queries" : "positions"}, size], got ${isTensor(x) ? describeTensor(x) : shown(x)}`,
    );
  }
  const [[B, , D], [rows, S, size], [own, positions]] = [query.shape, keys.shape, values.shape];
  if (rows === B && own === B && size === D && positions === S) return;
  throw new RangeError(
    `${name}: query [B, Q, D], keys [B, S, D] and values [B, S, E] must agree in B, S and D, got [${query.shape}], [${keys.shape}] and [${values.shape}]`,
  );
}

/** The mask `[B, S]` that both options give, int32. */
function maskOf(keys: Tensor, { mask, lengths }: AttentionOptions): Tensor | undefined {
  const [B, S] = keys.shape as [number, number];
  const isMask = isTensor(mask) && mask.dtype === "int32" && mask.shape.join() === `${B},${S}`;
  if (mask !== undefined && !isMask) {
    throw new RangeError(
      `${name}: mask must be int32 [${B},${S}], 1 where a row has a position, got ${isTensor(mask) ? describeTensor(mask) : shown(mask)}`,
    );
  }
  const marks = mask?.notEqual(0);
  if (lengths === undefined) return marks;
  const options: TensorOptions = { dtype: "int32", backend: keys.backend };
  const ends = isTensor(lengths) ? lengths : numbers(lengths, B, S, options);
  if (ends.dtype !== "int32" || ends.shape.join() !== `${B}`) {
    throw new RangeError(
      `${name}: lengths must be ${B} whole numbers, one for each row, got ${describeTensor(ends)}`,
    );
  }
  const before = arange(0, S, 1, options).less(ends.expandDims(-1));
  return marks ? marks.mul(before) : before;
}

function numbers(lengths: ArrayLike<number>, B: number, S: number, options: TensorOptions): Tensor {
  const given = Array.from(lengths ?? []);
  const wrong = given.find((n) => !Number.isInteger(n) || n < 0 || n > S);
  if (given.length === B && wrong === undefined) return tensor(given, options);
  throw new RangeError(
    `${name}: lengths must be ${B} whole numbers from 0 to ${S}, one for each row, got ${wrong === undefined ? `${given.length} of them` : shown(wrong)}`,
  );
}
