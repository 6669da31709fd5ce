import type { Shape } from "@chronograd/autodiff";
import { shown } from "../checks.ts";
import type { Rng } from "../rng/rng.ts";

/**
 * How a parameter starts: its shape, and its elements in row-major order as a random generator
 * gives them.
 */
export interface Initializer {
  readonly shape: Shape;
  /**
   * `"int32"` for whole numbers; unless given, floats of the dtype that `initialize` is asked for.
   */
  readonly dtype?: "int32";
  draw(rng: Rng): Float64Array;
}

/** True for initializers, the leaves of a tree of parameters that are yet to be drawn. */
export function isInitializer(value: unknown): value is Initializer {
  if (typeof value !== "object" || value === null) return false;
  const { shape, draw } = value as Partial<Record<keyof Initializer, unknown>>;
  return Array.isArray(shape) && typeof draw === "function";
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((size, length) => size * length, 1);
}

/**
 * Throws a sentence unless every length is a whole number of at least `least`.
 *
 * @param before the argument before the lengths
 */
export function checkLengths(shape: Shape, where: string, least = 0, before = ""): void {
  for (const length of shape as readonly unknown[]) {
    if (Number.isInteger(length) && (length as number) >= least) continue;
    if (Array.isArray(length)) {
      throw new TypeError(
        `${where}: give lengths one by one: init.${where}(${[...(before && [before]), ...length.map(shown)].join(", ")}), not as an array ${shown(length)}`,
      );
    }
    if (typeof length === "object" && length !== null) {
      throw new TypeError(
        `${where}: expected lengths, got an object; { dtype, backend } are options of initialize(params, rng, options)`,
      );
    }
    throw new RangeError(
      `${where}: shape ${shown(shape)} has length ${shown(length)}; expected whole numbers of at least ${least}`,
    );
  }
}

/** An initializer whose elements are drawn one by one. @internal */
export function elementwise(shape: Shape, draw: (rng: Rng) => number): Initializer {
  return {
    shape,
    draw: (rng) => Float64Array.from({ length: sizeOf(shape) }, () => draw(rng)),
  };
}
