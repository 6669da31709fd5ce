import { normalizeAxes, reducedShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { equal, less } from "./compare.ts";
import type { OpDeclaration } from "./declare.ts";
import { notedFactor, noteFactor } from "./lengths.ts";
import { max, sum } from "./reduce.ts";
import { where } from "./select.ts";
import { reshape } from "./shape.ts";

/** Axes to reduce; the output is without them. */
type Axes = readonly number[];

/** Scaled by the largest magnitude, so that squares neither overflow nor vanish. */
function root(x: Tensor, axes: Axes): Tensor {
  const largest = max(x.abs(), axes, { keepDims: true });
  // The reciprocal of a subnormal number overflows, and nothing scales infinity.
  const least = x.dtype === "float64" ? 2 ** -1022 : 2 ** -126;
  const scale = where(equal(largest, Infinity), 1, largest.maximum(least));
  return sum(x.div(scale).square(), axes, { keepDims: true }).sqrt().mul(scale);
}

/**
 * `x / |x|`, both times a power of two that keeps the norm within the range; with its derivatives 0
 * at a zero vector, where that power counts as 0.
 */
function direction(x: Tensor, y: Tensor, axes: Axes): Tensor {
  const kept = reshape(y, reducedShape(x.shape, axes, true));
  const isZero = equal(kept, 0);
  const isSmall = less(kept, 2 ** -64);
  const nearest = isSmall.mul(2 ** 64).maximum(1);
  const power = where(isZero, 0, where(equal(kept, Infinity), 2 ** -64, nearest));
  const scaled = x.mul(power);
  const length = reshape(apply(declaration, [scaled], axes), kept.shape);
  return scaled.div(where(isZero, 1, length));
}

const declaration: OpDeclaration<Axes> = {
  name: "norm",
  inputs: ["x"],
  shape: ([x], axes) => reducedShape(x!.shape, axes, false),
  forward(backend, [x], y, axes) {
    const { copy } = y.dtype === "float64" ? backend.kernels.move64 : backend.kernels.move32;
    const length = root(x!, axes);
    copy(1, y.size, length.pointer, y.size, 1, y.pointer, y.size, 1);
  },
  residuals: { inputs: [0], output: true },
  vjp: [
    (g, { inputs: [x], output, attributes: axes }) => {
      const kept = reducedShape(x!.shape, axes, true);
      const ofSquare = notedFactor(output, g);
      if (ofSquare !== undefined) return x!.mul(reshape(ofSquare, kept)).mul(2);
      return direction(x!, output, axes).mul(reshape(g, kept));
    },
  ],
  jvp: ([dx], { inputs: [x], output, attributes: axes }) =>
    noteFactor(output, dx!.mul(direction(x!, output, axes)).sum(axes), () => dx!.mul(x!).sum(axes)),
  samples: [],
};

/** `sqrt(sum(x^2))` along axes. */
export function euclidean(x: Tensor, axes: Axes): Tensor {
  return x.size === 0 ? sum(x, axes) : apply(declaration, [x], normalizeAxes(axes, x.rank, "norm"));
}
