import { currentRegion, Region, within } from "./block.ts";
import { checkAlive } from "./checks.ts";
import { giveOwner, isUniquelyHeld, releaseHold, type Tensor } from "./tensor.ts";
import { leaves } from "./tree.ts";

/**
 * Runs `body` and returns at once the memory of every value made inside, except what it returns.
 *
 * What it returns (a tensor, or arrays and plain objects of tensors) moves to the scope around, if
 * there is one. Tapes made inside end with the scope. Throws when `body` is asynchronous: a scope
 * follows the call stack.
 *
 * @example
 * ```ts
 * import { scope, tensor } from "@chronograd/autodiff";
 *
 * // The squares are gone, the mean is not.
 * const mean = scope(() => tensor([1, 2, 3]).square().mean());
 * mean.item().toFixed(4); // => "4.6667"
 * ```
 */
export function scope<T>(body: () => T): T {
  const region = new Region();
  const outer = currentRegion();
  try {
    const result = within(region, body);
    if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
      throw new TypeError(
        "scope: the body returned a promise, and a scope ends when its body returns; open the scope inside the asynchronous code instead",
      );
    }
    within(outer, () => {
      for (const value of leaves(result)) keep(value, region);
    });
    return result;
  } finally {
    region.end("the scope it was made in has ended; return it from the scope to keep it");
  }
}

/** Moves a value from a scope that ends to whatever is around it. */
function keep(value: Tensor, from: Region): void {
  // A tape that goes on holds its values itself.
  if (value.tape !== null && !from.ends(value.tape)) return;
  checkAlive(value, "scope: a returned value");
  const { block } = value;
  if (block.region === from) block.region = null;
  // What came from outside has its place there.
  else if (block.region !== null || value.owner !== null) return;
  giveOwner(value);
}

/**
 * Moves a value that was made outside of any scope into a region, unless it was there before
 * `since` blocks had been made, or others need its bytes too.
 */
export function takeOver(value: Tensor, region: Region, since: number): void {
  const { block } = value;
  if (block.serial < since || block.region !== null || !isUniquelyHeld(value)) return;
  region.hold(block);
  releaseHold(value, "it moved to a region");
}
