import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import type { OpDeclaration } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";

/**
 * `d f'(x)`: the factor that vanishes first, so that a slope of x^2 beyond the range does no harm.
 */
function derivative(d: Tensor, x: Tensor, y: Tensor, alpha: number): Tensor {
  return d.mul(y).mul(x).mul(2).mul(alpha);
}

const declaration: OpDeclaration<number> = {
  name: "bell",
  inputs: ["x"],
  shape: ([x]) => x!.shape,
  forward(backend, [x], y, alpha) {
    const { square, scale, exp } = kernelsOf(backend, y);
    square(y.size, x!.pointer, y.pointer);
    scale(y.size, y.pointer, y.pointer, alpha);
    exp(y.size, y.pointer, y.pointer);
  },
  residuals: { inputs: [0], output: true },
  vjp: [(g, { inputs: [x], output, attributes }) => derivative(g, x!, output, attributes)],
  jvp: ([dx], { inputs: [x], output, attributes }) => derivative(dx!, x!, output, attributes),
  samples: [],
};

/** `exp(alpha x^2)` for a negative alpha, whose derivative vanishes where it does. */
export function bell(x: Tensor, alpha: number): Tensor {
  return apply(declaration, [x], alpha);
}
