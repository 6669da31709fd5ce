import { sameShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";
import { describeTensor } from "./text.ts";

/**
 * Throws, with what became of it, when a value's bytes were returned.
 *
 * @param what how the sentence names the value; its dtype and shape unless given
 */
export function checkAlive(x: Tensor, where: string, what?: string | (() => string)): void {
  if (x.block.holders > 0) return;
  const name = typeof what === "function" ? what() : (what ?? describeTensor(x));
  throw new Error(`${where}: ${name} is gone: ${x.block.whyGone}`);
}

type Typed = Pick<Tensor, "dtype" | "shape">;

/** Whether two values have one shape and dtype. */
export function isLike(a: Typed, b: Typed): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
