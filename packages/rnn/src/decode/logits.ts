import type { Tensor } from "@chronograd/autodiff";
import { describeTensor } from "@chronograd/autodiff/internal";
import { kindOf } from "../findTensor.ts";

/** Throws a sentence unless a model put out a row of scores for each of `rows` sequences. */
export function checkLogits(where: string, logits: Tensor, rows: number): void {
  const shape = (logits as Partial<Tensor> | undefined)?.shape;
  const fits = shape?.length === 2 && shape[0] === rows && shape[1]! > 0;
  if (fits && logits.dtype !== "int32") return;
  const got = shape === undefined ? kindOf(logits) : describeTensor(logits);
  throw new TypeError(
    `${where}: a step must put out float logits [${rows}, V], one for each of V tokens in every row, got ${got}; end the model with linear({ input: hidden, output: tokens })`,
  );
}

/**
 * The largest of a row of logits.
 *
 * @throws for NaN, for +Infinity, and where no token is left
 */
export function largestLogit(where: string, row: number, logits: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token]!;
    if (logit > largest) largest = logit;
    if (logit < Infinity) continue;
    throw new RangeError(
      `${where}: the logit of token ${token} in row ${row} is ${logit}, and a logit must be a number below Infinity; check that training did not diverge`,
    );
  }
  if (largest > -Infinity) return largest;
  throw new RangeError(
    `${where}: row ${row} has no token that could follow, all ${logits.length} logits are -Infinity; leave at least one above it`,
  );
}
