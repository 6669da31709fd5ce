import { shown } from "../checks.ts";
import { checkLengths, elementwise, type Initializer } from "./initializer.ts";

function checkScale(scale: number, name: string, where: string): void {
  if (Number.isFinite(scale) && scale >= 0) return;
  throw new RangeError(
    `${where}: ${name} must be a finite number of at least 0, got ${shown(scale)}; the shape follows it`,
  );
}

/**
 * Elements uniform between `-limit` and `limit`.
 *
 * @throws for a limit that is negative or not finite, or a length that is not a whole number
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * Math.abs(initialize(init.uniform(0.1), rng(7)).item()) <= 0.1; // => true
 * ```
 */
export function uniform(limit: number, ...shape: readonly number[]): Initializer {
  checkScale(limit, "limit", "uniform");
  checkLengths(shape, "uniform", 0, "limit");
  return elementwise(shape, (rng) => limit * (2 * rng.uniform() - 1));
}

/**
 * Elements of the normal distribution around 0.
 *
 * @throws for a standard deviation that is negative or not finite, or a length that is not a whole
 *   number
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.normal(0.02, 65, 32), rng(7)).shape; // => [65, 32]
 * ```
 */
export function normal(standardDeviation: number, ...shape: readonly number[]): Initializer {
  checkScale(standardDeviation, "standardDeviation", "normal");
  checkLengths(shape, "normal", 0, "standardDeviation");
  return elementwise(shape, (rng) => standardDeviation * rng.normal());
}
