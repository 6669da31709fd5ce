import type { Shape } from "@chronograd/autodiff";
import { checkLengths } from "./initializer.ts";

/**
 * How many inputs an output of a weight is computed from, and how many outputs an input goes to.
 */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/**
 * The fans of a weight `[inputs, ..., outputs]`, as `x.matmul(W)` uses it; axes between the two
 * belong to both.
 *
 * @throws for fewer than two axes, or a length that is not a whole number of at least 1
 */
export function fansOf(shape: Shape, where: string): Fans {
  checkLengths(shape, where, 1);
  if (shape.length < 2) {
    throw new RangeError(
      `${where}: expected a shape of at least two axes [inputs, ..., outputs], got [${shape.join(",")}]; use uniform(limit, ...shape) or zeros(...shape) for a vector`,
    );
  }
  const between = shape.slice(1, -1).reduce((size, length) => size * length, 1);
  return { fanIn: shape[0]! * between, fanOut: shape.at(-1)! * between };
}
