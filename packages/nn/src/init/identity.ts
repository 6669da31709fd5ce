import { shown } from "../checks.ts";
import { checkLengths, type Initializer } from "./initializer.ts";

/**
 * The identity matrix `[n, n]` times `gain`, with which a recurrent relu network starts by
 * remembering (Le, Jaitly & Hinton 2015, A simple way to initialize recurrent networks of rectified
 * linear units).
 *
 * @param gain 1 unless given
 * @throws for a length that is not a whole number of at least 1, or a gain that is not finite
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.identity(2), rng(1)).toArray(); // => [[1, 0], [0, 1]]
 * ```
 */
export function identity(n: number, gain = 1): Initializer {
  checkLengths([n], "identity", 1);
  if (!Number.isFinite(gain)) {
    throw new RangeError(`identity: gain must be a finite number, got ${shown(gain)}`);
  }
  return {
    shape: [n, n],
    draw: () => Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? gain : 0)),
  };
}
