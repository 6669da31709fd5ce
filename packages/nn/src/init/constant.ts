import { checkOptions } from "@chronograd/autodiff/internal";
import { shown } from "../checks.ts";
import { checkLengths, type Initializer, sizeOf } from "./initializer.ts";

/** After the shape: what the elements are. */
export interface WholeNumbers {
  /** int32, whatever dtype `initialize` is asked for: a counter, or the symbol that came last. */
  readonly dtype: "int32";
}

/** Lengths along each axis and, after them, `{ dtype: "int32" }` for whole numbers. */
export type ShapeAndDType =
  | readonly number[]
  | readonly [...shape: number[], options: WholeNumbers];

function repeated(value: number, given: ShapeAndDType, where: string): Initializer {
  const last: unknown = given.at(-1);
  const isObject = typeof last === "object" && last !== null && !Array.isArray(last);
  const options = isObject ? last : undefined;
  const shape = (options === undefined ? given : given.slice(0, -1)) as readonly number[];
  checkLengths(shape, where, 0, where === "constant" ? "value" : "");
  const draw = () => new Float64Array(sizeOf(shape)).fill(value);
  if (options === undefined) return { shape, draw };
  checkOptions(where, options, ["dtype"]);
  const { dtype } = options as Partial<WholeNumbers>;
  if (dtype !== "int32") {
    throw new TypeError(
      `${where}: dtype must be "int32", got ${shown(dtype)}; leave out the options for floats, whose dtype is that of initialize(..., { dtype })`,
    );
  }
  if ((value | 0) !== value) {
    throw new RangeError(
      `${where}: value must be a whole number from -2^31 to 2^31 - 1 for int32, got ${value}`,
    );
  }
  return { shape, dtype, draw };
}

/**
 * All elements 0; whole numbers with `{ dtype: "int32" }` after the shape.
 *
 * @throws for a length that is not a whole number, or another dtype than int32
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.zeros(2), rng(1)).toArray(); // => [0, 0]
 * initialize(init.zeros({ dtype: "int32" }), rng(1)).dtype; // => "int32"
 * ```
 */
export function zeros(...shape: ShapeAndDType): Initializer {
  return repeated(0, shape, "zeros");
}

/**
 * All elements 1; whole numbers with `{ dtype: "int32" }` after the shape.
 *
 * @throws for a length that is not a whole number, or another dtype than int32
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.ones(2), rng(1)).toArray(); // => [1, 1]
 * ```
 */
export function ones(...shape: ShapeAndDType): Initializer {
  return repeated(1, shape, "ones");
}

/**
 * All elements `value`: the bias of a forget gate, for example; whole numbers with
 * `{ dtype: "int32" }` after the shape.
 *
 * @throws for a length that is not a whole number, a value that is not finite, another dtype than
 *   int32, or a value that int32 has not
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * initialize(init.constant(0.5, 2), rng(1)).toArray(); // => [0.5, 0.5]
 * ```
 */
export function constant(value: number, ...shape: ShapeAndDType): Initializer {
  if (!Number.isFinite(value)) {
    throw new RangeError(
      `constant: value must be a finite number, got ${shown(value)}; the shape follows it`,
    );
  }
  return repeated(value, shape, "constant");
}
