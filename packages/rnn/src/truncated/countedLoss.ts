import { Tensor } from "@chronograd/autodiff";
import type { Prepared } from "../sequences/prepare.ts";
import { checkRowAxis, zeroRows } from "../sequences/rows.ts";

/**
 * A loss that says itself how many tokens it counts: a number, or a tensor of one element or of one
 * for each row. Under a mask each row must have its own.
 */
export interface CountedLoss {
  readonly loss: Tensor;
  readonly count: number | Tensor;
}

/** What a step without a loss gives. */
const none = { loss: null, count: 0 };

/** The loss of step `t` and how many tokens it counts: those of the rows that have a step. */
export function countedLoss(
  where: string,
  result: Tensor | CountedLoss | null,
  t: number,
  { mask, first }: Prepared,
): { readonly loss: Tensor | null; readonly count: number | Tensor } {
  if (result === null) return none;
  const isTensor = result instanceof Tensor;
  const { loss, count } = isTensor ? { loss: result, count: undefined } : Object(result);
  checkLoss(where, result, loss, t);
  if (mask !== undefined) {
    const wayOut = 'losses have one with reduction: "none"';
    checkRowAxis(`${where}: the loss of step ${t}`, mask, loss, wayOut);
  }
  if (!isTensor || count !== undefined) checkCount(where, count, loss, t, mask);
  const ofRows = (x: Tensor) => (first === undefined ? x : zeroRows(mask!, x));
  if (count instanceof Tensor) return { loss: ofRows(loss), count: ofRows(count).sum() };
  if (count !== undefined) return { loss, count };
  if (first === undefined) return { loss, count: loss.size };
  const share = mask!.cast("float64").sum();
  return { loss: ofRows(loss), count: share.mul(loss.size / mask!.size) };
}

function checkLoss(
  where: string,
  result: unknown,
  loss: unknown,
  t: number,
): asserts loss is Tensor {
  if (loss instanceof Tensor && loss.tape !== null) return;
  const got =
    loss instanceof Tensor
      ? "one that depends on no parameter"
      : result === undefined
        ? "undefined"
        : `a ${typeof result}`;
  throw new TypeError(
    `${where}: the loss of step ${t} must be a tensor computed from the model's output, got ${got}; return null for a step without a loss`,
  );
}

function checkCount(
  where: string,
  count: unknown,
  loss: Tensor,
  t: number,
  mask: Tensor | undefined,
): void {
  const isTensor = count instanceof Tensor;
  const isForRows = isTensor && count.rank > 0 && count.shape[0] === (mask ?? loss).shape[0];
  const isForAll = isTensor ? count.size === 1 : typeof count === "number";
  if (isForRows || (isForAll && mask === undefined)) return;
  const expected =
    mask === undefined
      ? "a number, or a tensor of one element or of one for each row"
      : `a tensor of ${mask.size} elements, one for each row, because of the mask`;
  throw new TypeError(
    `${where}: the count of step ${t}'s loss must be ${expected}, got ${isTensor ? `[${count.shape}]` : String(count)}`,
  );
}

/** A count of tokens as a number. */
export function tokensOf(where: string, count: number | Tensor, t: number): number {
  const tokens = typeof count === "number" ? count : count.item();
  if (Number.isFinite(tokens) && tokens >= 0) return tokens;
  throw new RangeError(
    `${where}: the count of step ${t}'s loss must be a number of at least 0, got ${tokens}`,
  );
}
