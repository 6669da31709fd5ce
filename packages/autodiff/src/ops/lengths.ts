// |x|, hypot and norm are lengths: they have a kink at 0, and their squares have none. By the chain
// rule alone the derivative of y^2 is 2 y times x / y. Its value is right where y is 0 and the
// second factor is taken as 0; its own derivative is not. So the rule of `square` and that of a
// length, when one receives what the other made, use 2 x instead. This matters only to second
// derivatives, so only what a tape tracks is noted. A rule sees a cotangent and nothing else of its
// neighbour, and a field of every tensor would cost those that need none: hence the weak map.
import type { Block } from "../tensor/block.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * A cotangent `2 y d` of a length `y`, or its tangent `x dx / y`: whose it is, and `d`, or `x dx`.
 */
interface Passed {
  readonly length: Block;
  readonly factor: () => Tensor;
}

const passed = new WeakMap<Tensor, Passed>();

/**
 * Notes that `g` is a multiple of the length `y`, and the other factor. Not of what no tape tracks:
 * it may be added to in place, and has no derivative.
 */
export function noteFactor(y: Tensor, g: Tensor, factor: () => Tensor): Tensor {
  if (g.tape !== null) passed.set(g, { length: y.block, factor });
  return g;
}

/** The other factor, if `g` comes straight from the rule that noted it, and of the length `y`. */
export function notedFactor(y: Tensor, g: Tensor): Tensor | undefined {
  if (g.tape === null) return undefined;
  const found = passed.get(g);
  return found?.length === y.block ? found.factor() : undefined;
}
