import { normal, uniform } from "./distributions.ts";
import { fansOf } from "./fans.ts";
import type { Initializer } from "./initializer.ts";

/**
 * Uniform with limit `sqrt(6 / fanIn)`: keeps the variance of activations from layer to layer, for
 * relu (He, Zhang, Ren & Sun 2015, Delving deep into rectifiers).
 *
 * @param shape of a weight `[inputs, ..., outputs]`, as `x.matmul(W)` uses it
 * @throws for fewer than two axes, or a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.he(3, 4), rng(1)).shape; // => [3, 4]
 * ```
 */
export function he(...shape: readonly number[]): Initializer {
  const { fanIn } = fansOf(shape, "he");
  return uniform(Math.sqrt(6 / fanIn), ...shape);
}

/**
 * As `he`, normal with standard deviation `sqrt(2 / fanIn)`.
 *
 * @throws for fewer than two axes, or a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.heNormal(3, 4), rng(1)).shape; // => [3, 4]
 * ```
 */
export function heNormal(...shape: readonly number[]): Initializer {
  const { fanIn } = fansOf(shape, "heNormal");
  return normal(Math.sqrt(2 / fanIn), ...shape);
}
