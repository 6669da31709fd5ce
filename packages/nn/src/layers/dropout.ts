import type { Tensor } from "@chronograd/autodiff";
import { allocate, checkOptions } from "@chronograd/autodiff/internal";
import { shown } from "../checks.ts";
import type { Rng } from "../rng/rng.ts";
import { checkTensor } from "./layer.ts";

/** A layer without parameters: `apply(x, rng)` drops, `apply(x, undefined)` does not. */
export interface Dropout {
  readonly params: Record<string, never>;
  apply(x: Tensor, rng: Rng | undefined): Tensor;
}

/**
 * Sets each element of `x` to 0 with probability `rate` and divides the others by `1 - rate`, so
 * that the expected value stays `x` (Srivastava et al. 2014, Dropout: a simple way to prevent
 * neural networks from overfitting).
 *
 * Without a generator, in evaluation, `apply` returns `x` itself. The mask is drawn from the
 * generator in row-major order and is a constant on the tape.
 *
 * @throws for a rate outside 0 (included) to 1 (excluded)
 *
 * @example
 * ```ts
 * import { ones } from "@chronograd/autodiff";
 * import { dropout, rng } from "@chronograd/nn";
 *
 * const layer = dropout({ rate: 0.5 });
 * const kept = layer.apply(ones([1000]), rng(7)).sum().item() / 2;
 * kept > 400 && kept < 600; // => true
 * layer.apply(ones([3]), undefined).toArray(); // => [1, 1, 1]
 * ```
 */
export function dropout(options: { readonly rate: number }): Dropout {
  checkOptions("dropout", options, ["rate"]);
  const { rate } = options ?? ({} as typeof options);
  if (!(typeof rate === "number" && rate >= 0 && rate < 1)) {
    throw new RangeError(
      `dropout: rate must be at least 0 and below 1, got ${shown(rate)}; it is the share of elements that are dropped`,
    );
  }
  // An element is dropped when 32 random bits, as a number, are below this.
  const threshold = rate * 2 ** 32;
  return {
    params: {},
    apply(x, rng) {
      if (rng === undefined || rate === 0) return x;
      checkTensor("dropout", x);
      if (x.dtype === "int32") {
        throw new TypeError(
          `dropout: x must be float32 or float64, got int32 [${x.shape.join(",")}]; convert it with cast(x, "float32")`,
        );
      }
      const mask = allocate(x.backend, x.shape, x.dtype);
      // Held for this call; from then on by the tape, if there is one.
      mask.block.retain();
      try {
        const elements = x.backend.memory.views[x.dtype];
        const start = mask.pointer / elements.BYTES_PER_ELEMENT;
        const scale = 1 / (1 - rate);
        for (let i = start; i < start + mask.size; i++) {
          elements[i] = rng.bits() < threshold ? 0 : scale;
        }
        return x.mul(mask);
      } finally {
        mask.block.release("it was the mask of one call of dropout");
      }
    },
  };
}
