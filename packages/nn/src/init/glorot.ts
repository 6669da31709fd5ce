import { normal, uniform } from "./distributions.ts";
import { fansOf } from "./fans.ts";
import type { Initializer } from "./initializer.ts";

/**
 * Uniform with limit `sqrt(6 / (fanIn + fanOut))`: keeps the variance of activations and of
 * gradients from layer to layer, for tanh and similar functions (Glorot & Bengio 2010,
 * Understanding the difficulty of training deep feedforward neural networks).
 *
 * @param shape of a weight `[inputs, ..., outputs]`, as `x.matmul(W)` uses it
 * @throws for fewer than two axes, or a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.glorot(3, 4), rng(1)).shape; // => [3, 4]
 * ```
 */
export function glorot(...shape: readonly number[]): Initializer {
  const { fanIn, fanOut } = fansOf(shape, "glorot");
  return uniform(Math.sqrt(6 / (fanIn + fanOut)), ...shape);
}

/**
 * As `glorot`, normal with standard deviation `sqrt(2 / (fanIn + fanOut))`.
 *
 * @throws for fewer than two axes, or a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.glorotNormal(3, 4), rng(1)).shape; // => [3, 4]
 * ```
 */
export function glorotNormal(...shape: readonly number[]): Initializer {
  const { fanIn, fanOut } = fansOf(shape, "glorotNormal");
  return normal(Math.sqrt(2 / (fanIn + fanOut)), ...shape);
}
