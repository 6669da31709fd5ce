import { createBackend, type FloatDType, scope, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import type { Law } from "@chronograd/autodiff/testing";
import { adagrad, adam, type GradientTransformation, rmsprop } from "@chronograd/nn";
import { Tally } from "./tally.ts";

/** Rules without epsilon, and their first step for a gradient above 0, at a rate of 1. */
const rules: readonly (readonly [string, GradientTransformation<unknown>, number])[] = [
  ["adam", adam({ learningRate: 1, epsilon: 0 }), 1],
  ["adam, amsgrad", adam({ learningRate: 1, epsilon: 0, amsgrad: true }), 1],
  ["rmsprop", rmsprop({ learningRate: 1, epsilon: 0 }), 10],
  [
    "rmsprop, centered",
    rmsprop({ learningRate: 1, epsilon: 0, centered: true }),
    1 / Math.sqrt(0.99 * 0.01),
  ],
  ["adagrad", adagrad({ learningRate: 1, epsilon: 0 }), 1],
];

/**
 * The first step does not depend on the gradient's size; PyTorch's squares overflow at 2e19 and
 * vanish below 1e-23.
 */
export const sizes: Law = {
  name: "sizes",
  statement:
    "without epsilon the first step is that of a gradient of 1, whatever its size; later ones are finite",
  bound: 1e-5,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const simd = createBackend({ kernels: "simd" });
      const reference = createBackend({ kernels: referenceKernels });
      for (const backend of [simd, reference]) {
        for (const dtype of ["float32", "float64"] as FloatDType[]) {
          const exponents =
            dtype === "float32" ? [-30, -20, 0, 20, 30, 38] : [-300, -200, 0, 200, 300];
          const size = (1 + (seed % 2)) * 10 ** exponents[seed % exponents.length]!;
          for (const [name, rule, expected] of rules) {
            const on = { dtype, backend };
            const w = tensor([0, 0, 0, 0, 0], on);
            const first = tensor([size, -size, size, 1, size], on);
            const [update, state] = rule.update(first, rule.init(w), w);
            const steps = update.toArray<number[]>();
            const signs = [-1, 1, -1, -1, -1];
            tally.list(
              steps,
              signs.map((sign) => sign * expected),
              `${name}, ${dtype}, ${size}`,
            );
            const [again] = rule.update(tensor([1, 1, 1, 1, 1], on), state, w);
            const isRight = again.toArray<number[]>().every(Number.isFinite);
            tally.check(isRight, () => `${name}, ${dtype}: ${again.toArray()} after ${size}`);
          }
        }
      }
      return tally;
    }),
};
