import { checkLengths, type Initializer } from "./initializer.ts";

/**
 * The identity matrix `[n, n]`, with which a recurrent relu network starts by remembering (Le,
 * Jaitly & Hinton 2015, A simple way to initialize recurrent networks of rectified linear units).
 *
 * @throws for a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.identity(2), rng(1)).toArray(); // => [[1, 0], [0, 1]]
 * ```
 */
export function identity(n: number): Initializer {
  checkLengths([n], "identity", 1);
  return {
    shape: [n, n],
    draw: () => Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
  };
}
