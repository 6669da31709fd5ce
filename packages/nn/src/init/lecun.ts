import { normal, uniform } from "./distributions.ts";
import { fansOf } from "./fans.ts";
import type { Initializer } from "./initializer.ts";

/**
 * Uniform with limit `sqrt(3 / fanIn)`: outputs get the variance of the inputs (LeCun, Bottou, Orr
 * & Müller 1998, Efficient backprop).
 *
 * @param shape of a weight `[inputs, ..., outputs]`, as `x.matmul(W)` uses it
 * @throws for fewer than two axes, or a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.lecun(3, 4), rng(1)).shape; // => [3, 4]
 * ```
 */
export function lecun(...shape: readonly number[]): Initializer {
  const { fanIn } = fansOf(shape, "lecun");
  return uniform(Math.sqrt(3 / fanIn), ...shape);
}

/**
 * As `lecun`, normal with standard deviation `sqrt(1 / fanIn)`.
 *
 * @throws for fewer than two axes, or a length that is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.lecunNormal(3, 4), rng(1)).shape; // => [3, 4]
 * ```
 */
export function lecunNormal(...shape: readonly number[]): Initializer {
  const { fanIn } = fansOf(shape, "lecunNormal");
  return normal(Math.sqrt(1 / fanIn), ...shape);
}
