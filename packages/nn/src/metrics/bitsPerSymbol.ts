import { meanLoss } from "./meanLoss.ts";

/**
 * The mean of losses in nats (negative logarithms of probabilities, as `crossEntropy` gives), in
 * bits per symbol: of characters, bits per character. An ideal code needs as many (Shannon 1948).
 *
 * @param losses one for each symbol, or sums of several
 * @param symbols how many symbols the losses are of; as many as there are losses unless given
 * @throws when there are no symbols
 *
 * @example
 * ```ts
 * import { bitsPerSymbol } from "@chronograd/nn/metrics";
 *
 * // A fair choice among 8.
 * bitsPerSymbol([Math.log(8), Math.log(8)]); // => 3
 * bitsPerSymbol([Math.log(8) * 100], 100); // => 3
 * ```
 */
export function bitsPerSymbol(losses: ArrayLike<number>, symbols: number = losses?.length): number {
  return meanLoss("bitsPerSymbol", losses, symbols) / Math.LN2;
}
