import { largestLogit } from "./logits.ts";

/** How a token is drawn, every option given. */
export interface Drawing {
  readonly temperature: number;
  readonly topK: number;
  readonly nucleus: number;
}

/** Of a row of logits the token with the largest one, the first of equal ones. */
export function likeliest(where: string, row: number, logits: ArrayLike<number>): number {
  const largest = largestLogit(where, row, logits);
  return Array.prototype.indexOf.call(logits, largest);
}

/**
 * The token at which the cumulative distribution passes `u`, from 0 to below 1: tokens in their
 * order, without those that are left out.
 */
export function drawn(
  where: string,
  row: number,
  logits: ArrayLike<number>,
  how: Drawing,
  u: number,
): number {
  const largest = largestLogit(where, row, logits);
  // The largest weight is 1, so that their sum neither overflows nor vanishes.
  const weights = Float64Array.from(logits, (x) => Math.exp((x - largest) / how.temperature));
  if (how.topK < weights.length || how.nucleus < 1) leaveOut(logits, weights, how);
  let total = 0;
  for (const weight of weights) total += weight;
  // A product with a number below 1 rounds to less than the total, so the loop ends at a token,
  // and one of weight 0 never passes it.
  const until = u * total;
  let token = 0;
  for (let sum = weights[0]!; sum <= until; sum += weights[token]!) token++;
  return token;
}

/**
 * Sets the weight of all tokens to 0 but of the smallest set that `topK` and, among those,
 * `nucleus` leaves: from the largest logit down, of equal ones the first.
 */
function leaveOut(logits: ArrayLike<number>, weights: Float64Array, how: Drawing): void {
  const order = Int32Array.from(weights.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const first = order.subarray(0, how.topK);
  let mass = 0;
  for (const token of first) mass += weights[token]!;
  const enough = how.nucleus < 1 ? how.nucleus * mass : Infinity;
  let kept = 0;
  for (let sum = 0; kept < first.length && sum < enough; kept++) sum += weights[first[kept]!]!;
  for (const token of order.subarray(kept)) weights[token] = 0;
}
