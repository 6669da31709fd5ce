import { meanLoss } from "./meanLoss.ts";

/**
 * The exponential of the mean of losses in nats: among how many equally likely symbols a model that
 * does no better would choose (Jelinek, Mercer, Bahl & Baker 1977).
 *
 * @param losses one for each symbol, or sums of several
 * @param symbols how many symbols the losses are of; as many as there are losses unless given
 * @throws when there are no symbols
 *
 * @example
 * ```ts
 * import { perplexity } from "@chronograd/nn/metrics";
 *
 * perplexity([Math.log(8), Math.log(2)]).toFixed(6); // => "4.000000"
 * ```
 */
export function perplexity(losses: ArrayLike<number>, symbols: number = losses?.length): number {
  return Math.exp(meanLoss("perplexity", losses, symbols));
}
