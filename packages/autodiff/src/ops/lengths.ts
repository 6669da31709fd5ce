// |x|, hypot and norm are lengths: they have a kink at 0, their squares have none. By the chain rule alone the derivative
// of y^2 is 2 y times x / y; its value is right where y is 0 and the second factor is taken as 0, its own derivative is
// not. So the rule of `square` and that of a length, when one hands on what the other made, use 2 x instead. This matters
// only where another tape looks on: to second derivatives.
import type { Block } from "../tensor/block.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A cotangent `2 y d` of a length `y`, or its tangent `x dx / y`: whose it is, and `d`, or `x dx`. */
interface Passed {
  readonly length: Block;
  readonly factor: () => Tensor;
}

const passed = new WeakMap<Tensor, Passed>();

/** Notes that `g` is about the length `y`; what no tape tracks may be added to in place, and needs no second derivative. */
export function about(y: Tensor, g: Tensor, factor: () => Tensor): Tensor {
  if (g.tape !== null) passed.set(g, { length: y.block, factor });
  return g;
}

/** The factor without the length, if `g` comes straight from the other rule and is about `y`. */
export function without(y: Tensor, g: Tensor): Tensor | undefined {
  if (g.tape === null) return undefined;
  const found = passed.get(g);
  return found?.length === y.block ? found.factor() : undefined;
}
