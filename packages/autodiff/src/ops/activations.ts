import { checkOptions } from "../tensor/options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { scale } from "./affine.ts";
import { apply } from "./apply.ts";
import { add, maximum, minimum, mul } from "./arithmetic.ts";
import { bell } from "./bell.ts";
import { greater, less } from "./compare.ts";
import { type Op, type Operand, op } from "./declare.ts";
import { where } from "./select.ts";
import { scaled, type UnaryOp, unary } from "./unary.ts";

/** `1 / (1 + e^-x)`. */
export const sigmoid: UnaryOp = unary({
  name: "sigmoid",
  derivative: (d, _x, y) => d.mul(y.sub(y.square())),
  residuals: "y",
});

/**
 * `log(1 + e^x)`, without overflow.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([-1000, 1000]).softplus().toArray(); // => [0, 1000]
 * ```
 */
export const softplus: UnaryOp = unary({
  name: "softplus",
  derivative: (d, x) => d.mul(x.sigmoid()),
  residuals: "x",
});

/**
 * `log(sigmoid(x))`, without underflow.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([-1000]);
 * [x.logSigmoid().item(), x.sigmoid().log().item()]; // => [-1000, -Infinity]
 * ```
 */
export const logSigmoid: UnaryOp = unary({
  name: "logSigmoid",
  derivative: (d, x) => d.mul(x.neg().sigmoid()),
  residuals: "x",
});

/**
 * `max(x, 0)`; the derivative at 0 is taken as 0.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * grad((x) => x.relu().sum())(tensor([-1, 0, 2])).toArray(); // => [0, 0, 1]
 * ```
 */
export const relu: UnaryOp = unary({
  name: "relu",
  derivative: (d, x) => d.mul(greater(x, 0)),
  residuals: "x",
  kinks: [0],
});

const exactGelu = unary({
  name: "gelu",
  derivative(d, x, y) {
    // In the left tail 1 + erf cancels, and Phi(x) = y / x does not; near 0 it is the other way
    // round.
    const right = x.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
    const cumulative = where(less(x, -1), y.div(minimum(x, -1)), right);
    const density = bell(x, -0.5).mul(1 / Math.sqrt(2 * Math.PI));
    return d.mul(cumulative.add(x.mul(density)));
  },
  residuals: "xy",
});

/** How `gelu` takes the normal distribution function. */
export interface GeluOptions {
  /** `"none"`, the exact function, unless given. */
  readonly approximate?: "none" | "tanh";
}

/**
 * `x Phi(x)` with the exact normal distribution function (Hendrycks & Gimpel 2016), or, with
 * `approximate: "tanh"`, with `(1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2` in its place, as in
 * GPT-2.
 *
 * @throws for another `approximate`
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor(1, { dtype: "float64" });
 * x.gelu().item().toFixed(5); // => "0.84134"
 * x.gelu({ approximate: "tanh" }).item().toFixed(5); // => "0.84119"
 * ```
 */
export const gelu: Op<(x: Operand, options?: GeluOptions) => Tensor> = op(
  {
    ...exactGelu.declaration,
    samples: [
      ...exactGelu.declaration.samples,
      {
        label: "tanh",
        inputs: [{ shape: [2, 3] }],
        call: ([x]) => gelu(x!, { approximate: "tanh" }),
      },
    ],
  },
  (x: Operand, options?: GeluOptions) => {
    checkOptions("gelu", options, ["approximate"]);
    const { approximate = "none" } = options ?? {};
    if (approximate === "none") return exactGelu(x);
    if (approximate !== "tanh") {
      throw new TypeError(
        `gelu: approximate must be "none" or "tanh", got ${JSON.stringify(approximate)}`,
      );
    }
    // (1 + tanh u) / 2 = sigmoid(2u), which does not cancel; beyond 32 it is 0 or 1 in both dtypes.
    const m = minimum(maximum(x, -32), 32);
    const u = mul(m, add(mul(mul(m, m), 0.044715), 1));
    return mul(x, mul(u, 2 * Math.sqrt(2 / Math.PI)).sigmoid());
  },
);

/** `x sigmoid(x)` (Elfwing, Uchibe & Doya 2018). */
export const silu: UnaryOp = unary({
  name: "silu",
  // s + y (1 - s), in an order that loses neither s beside a large y nor the zero that is left
  // where s is 1.
  derivative(d, x, y) {
    const s = x.sigmoid();
    return d.mul(s.add(y.sub(y.mul(s))));
  },
  residuals: "xy",
});

const leakyReluDeclaration = scaled({
  name: "leakyRelu",
  kernel: "leakyRelu",
  derivative: (d, x, _y, alpha) => where(less(x, 0), scale(d, alpha), d),
  residuals: "x",
  kinks: [0],
});

/**
 * `x` above 0 and `alpha x` below; `alpha` is 0.01 unless given. The derivative at 0 is taken from
 * the right, as 1.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * tensor([-2, 3]).leakyRelu(0.5).toArray(); // => [-1, 3]
 * ```
 */
export const leakyRelu: Op<(x: Operand, alpha?: number) => Tensor> = op(
  leakyReluDeclaration,
  (x: Operand, alpha = 0.01) => apply(leakyReluDeclaration, [x], alpha),
);

const eluDeclaration = scaled({
  name: "elu",
  kernel: "elu",
  // The exponential of what is below 0, so that none overflows where nobody asks for it.
  derivative: (d, x, _y, alpha) => where(less(x, 0), d.mul(x.minimum(0).exp().mul(alpha)), d),
  residuals: "x",
  kinks: [0],
});

/**
 * `x` above 0 and `alpha (e^x - 1)` below; `alpha` is 1 unless given (Clevert, Unterthiner &
 * Hochreiter 2016). The derivative at 0 is taken from the right, as 1.
 */
export const elu: Op<(x: Operand, alpha?: number) => Tensor> = op(
  eluDeclaration,
  (x: Operand, alpha = 1) => apply(eluDeclaration, [x], alpha),
);
