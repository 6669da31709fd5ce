import { type Tensor, tree, where } from "@chronograd/autodiff";
import { checkOptions, describeTensor, isLike } from "@chronograd/autodiff/internal";
import { checkLimit } from "../checks.ts";
import type { GradientTransformation } from "../optim/transformation.ts";
import { type ClipState, clipping } from "./clipping.ts";
import type { NonFiniteOption } from "./nonFinite.ts";
import { normOf } from "./norm.ts";

/** Options of `clipAdaptive`. */
export interface AdaptiveOptions extends NonFiniteOption {
  /** The largest ratio of gradient to weight norm; 0.01 unless given. */
  readonly clipping?: number;
  /**
   * Weight norms below this count as this much, so that zero weights can move; 1e-3 unless given.
   */
  readonly epsilon?: number;
}

/**
 * Scales the gradient of each unit so that its norm is at most `clipping` times that of the unit's
 * weights (adaptive gradient clipping: Brock, De, Smith & Simonyan 2021, High-performance
 * large-scale image recognition without normalization, eq. 3).
 *
 * A unit is what one output is computed from: a column of a weight `[inputs, ..., outputs]`. A
 * vector or a scalar counts as one unit.
 *
 * @throws for an option out of range; `update` throws when the trees differ, or a gradient is NaN
 *   or infinite (see `nonFinite`)
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { clipAdaptive } from "@chronograd/nn";
 *
 * const params = { W: tensor([[3, 0], [4, 1]]) };
 * const gradients = { W: tensor([[0, 0], [5, 0.001]]) };
 * const clip = clipAdaptive({ clipping: 0.5 });
 * const [clipped] = clip.update(gradients, clip.init(params), params);
 * clipped.W.mul(1000).round().toArray(); // => [[0, 0], [2500, 1]]
 * ```
 */
export function clipAdaptive(options: AdaptiveOptions = {}): GradientTransformation<ClipState> {
  const name = "clipAdaptive";
  checkOptions(name, options, ["clipping", "epsilon", "nonFinite"]);
  const { clipping: share = 0.01, epsilon = 1e-3, nonFinite = "throw" } = options;
  checkLimit(share, "clipping", name);
  checkLimit(epsilon, "epsilon", name);
  return clipping(name, 2, nonFinite, (g, { home }, path, params) => {
    const w = new Map(tree.leavesWithPath(params)).get(path);
    if (w === undefined || !isLike(w, g)) {
      throw new TypeError(
        `clipAdaptive: the gradient at "${path}" is ${describeTensor(g)} and the parameter there ${w === undefined ? "is missing" : describeTensor(w)}; both trees must have the same structure and shapes`,
      );
    }
    const axes = g.shape.map((_, axis) => axis).slice(0, g.rank > 1 ? -1 : undefined);
    const size = sizeOf(g.cast("float64"), axes);
    const weight = sizeOf(w.cast("float64"), axes);
    const limit = weight.unit.mul(weight.length).maximum(epsilon).mul(share);
    // |g| = unit length; their product might be no number.
    const exceeds = size.length.greater(limit.div(size.unit));
    const parts = where(exceeds, size.parts.div(where(exceeds, size.length, 1)).mul(limit), 0);
    const clipped = where(exceeds, parts, g.cast("float64")).cast(g.dtype);
    if (nonFinite !== "pass") return clipped;
    return where(normOf([g], Infinity, home).less(Infinity).cast(g.dtype), clipped, g);
  });
}

/** Each unit's largest magnitude, its elements divided by that, and the length of those. */
function sizeOf(x: Tensor, axes: readonly number[]): Record<"unit" | "parts" | "length", Tensor> {
  const largest = x.detach().abs().max(axes, { keepDims: true });
  const unit = largest.add(largest.equal(0));
  const parts = x.div(unit);
  const squares = parts.square().sum(axes, { keepDims: true });
  const isZero = squares.detach().equal(0);
  return { unit, parts, length: squares.add(isZero).sqrt().sub(isZero) };
}
