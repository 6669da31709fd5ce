import type { Shape } from "@chronograd/autodiff";
import { checkLengths, type Initializer, sizeOf } from "./initializer.ts";

function repeated(value: number, shape: Shape, where: string): Initializer {
  checkLengths(shape, where);
  return { shape, draw: () => new Float64Array(sizeOf(shape)).fill(value) };
}

/**
 * All elements 0.
 *
 * @throws for a length that is not a whole number
 *
 * @example
 * ```ts
 * import { initialize, stream, zeros } from "@chronograd/nn";
 *
 * initialize(zeros(2), stream(1)).toArray(); // => [0, 0]
 * ```
 */
export function zeros(...shape: readonly number[]): Initializer {
  return repeated(0, shape, "zeros");
}

/**
 * All elements 1.
 *
 * @throws for a length that is not a whole number
 *
 * @example
 * ```ts
 * import { initialize, ones, stream } from "@chronograd/nn";
 *
 * initialize(ones(2), stream(1)).toArray(); // => [1, 1]
 * ```
 */
export function ones(...shape: readonly number[]): Initializer {
  return repeated(1, shape, "ones");
}

/**
 * All elements `value`: the bias of a forget gate, for example.
 *
 * @throws for a length that is not a whole number, or a value that is not finite
 *
 * @example
 * ```ts
 * import { constant, initialize, stream } from "@chronograd/nn";
 *
 * initialize(constant(0.5, 2), stream(1)).toArray(); // => [0.5, 0.5]
 * ```
 */
export function constant(value: number, ...shape: readonly number[]): Initializer {
  if (!Number.isFinite(value)) {
    throw new RangeError(
      `constant: value must be a finite number, got ${String(value)}; the shape follows it`,
    );
  }
  return repeated(value, shape, "constant");
}
