import { flatten, greater, map, type Tensor, where } from "@chronograd/autodiff";
import { named, Region, within } from "@chronograd/autodiff/extend";
import { Clipped } from "./clipped.ts";
import { checkLimit } from "./limit.ts";
import { measure, type NonFiniteOption } from "./nonFinite.ts";
import { normOf } from "./norm.ts";

/** Options of `clipAdaptive`. */
export interface AdaptiveOptions extends NonFiniteOption {
  /** The largest ratio of gradient to weight norm; 0.01 unless given. */
  readonly clipping?: number;
  /** Weight norms below this count as this much, so that zero weights can move; 1e-3 unless given. */
  readonly epsilon?: number;
}

/**
 * Scales the gradient of each unit so that its norm is at most `clipping` times that of the unit's weights (adaptive
 * gradient clipping: Brock, De, Smith & Simonyan 2021, High-performance large-scale image recognition without
 * normalization, eq. 3).
 *
 * A unit is what one output is computed from: a column of a weight `[inputs, ..., outputs]`. A vector or a scalar
 * counts as one unit.
 *
 * @param gradients a tree of tensors
 * @param params a tree of the same structure
 * @throws when the trees differ, a gradient is NaN or infinite (see `nonFinite`), or an option is out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { clipAdaptive } from "@chronograd/nn";
 *
 * const params = { W: tensor([[3, 0], [4, 1]]) };
 * const gradients = { W: tensor([[0, 0], [5, 0.001]]) };
 * clipAdaptive(gradients, params, { clipping: 0.5 }).gradients.W.mul(1000).round().toArray(); // => [[0, 0], [2500, 1]]
 * ```
 */
export function clipAdaptive<T>(
  gradients: T,
  params: unknown,
  { clipping = 0.01, epsilon = 1e-3, nonFinite = "throw" }: AdaptiveOptions = {},
): Clipped<T> {
  checkLimit(clipping, "clipping", "clipAdaptive");
  checkLimit(epsilon, "epsilon", "clipAdaptive");
  const weights = new Map(flatten(params));
  const measured = measure(gradients, 2, nonFinite, "clipAdaptive");
  let clipped = measured.zeroed;
  const scaled = map(measured.gradients, (g: Tensor, path) => {
    if (g.dtype === "int32" || g.size === 0) return g;
    const w = weights.get(path);
    if (w === undefined || w.shape.join() !== g.shape.join()) {
      throw new TypeError(
        `clipAdaptive: the gradient at "${path}" is ${named(g)} and the parameter there ${w === undefined ? "is missing" : named(w)}; both trees must have the same structure and shapes`,
      );
    }
    if (!Number.isFinite(normOf([g], 2))) return g;
    const region = new Region();
    try {
      const scale = within(region, () => scaleOf(g.detach(), w.detach(), clipping, epsilon));
      if (scale === undefined) return g;
      clipped = true;
      return g.mul(scale);
    } finally {
      region.end("it was an intermediate value of clipping");
    }
  });
  return new Clipped(scaled as T, measured.norm, clipped);
}

/** The factor of each unit, or `undefined` when none exceeds its limit. */
function scaleOf(g: Tensor, w: Tensor, clipping: number, epsilon: number): Tensor | undefined {
  const axes = g.shape.map((_, axis) => axis).slice(0, g.rank > 1 ? -1 : undefined);
  const limit = w.norm(axes, { keepDims: true }).maximum(epsilon).mul(clipping);
  const norm = g.norm(axes, { keepDims: true });
  const exceeds = greater(norm, limit);
  if (exceeds.max().item() === 0) return undefined;
  return where(exceeds, limit.div(norm), 1);
}
