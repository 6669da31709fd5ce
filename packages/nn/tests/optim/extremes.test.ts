import { readFileSync } from "node:fs";
import { compile, createBackend, type FloatDType, type Tensor, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { describe, expect, test } from "vitest";
import { adagrad, adam, type GradientTransformation, rmsprop } from "../../src/index.ts";

interface Case {
  readonly rule: string;
  readonly options: object;
  readonly gradients: readonly number[];
  readonly steps: readonly number[];
  readonly every?: number;
}

/** Exact steps, from decimal arithmetic of 50 digits. */
const cases = JSON.parse(
  readFileSync(new URL("../fixtures/extremes.json", import.meta.url), "utf8"),
) as readonly Case[];

const makers = { adam, rmsprop, adagrad };
const backends = [
  ["simd-plain", createBackend({ kernels: "simd-plain" })],
  ["simd-relaxed", createBackend({ kernels: "simd-relaxed" })],
  ["reference", createBackend({ kernels: referenceKernels })],
] as const;

/** What five elements of a dtype get, the gradient in every place of a vector and beyond. */
function stepsOf(
  { rule, options, gradients }: Case,
  backend: (typeof backends)[number][1],
  dtype: FloatDType,
  compiled: boolean,
): number[][] {
  const name = rule.split(",")[0] as keyof typeof makers;
  const optimizer = makers[name]({
    learningRate: 1,
    ...options,
  }) as GradientTransformation<unknown>;
  const w = tensor([0, 0, 0, 0, 0], { dtype, backend });
  let state = optimizer.init(w);
  const update = (g: Tensor, before: unknown) => optimizer.update(g, before, w);
  const run = compiled ? compile(update) : update;
  return gradients.map((g) => {
    const [moved, next] = run(tensor([g, g, g, g, g], { dtype, backend }), state);
    state = next;
    return moved.toArray<number[]>();
  });
}

describe.each(backends)("%s kernels", (_name, backend) => {
  test.each(["float32", "float64"] as const)(
    "a finite gradient of any size gives the exact step, in %s",
    (dtype) => {
      const [ulp, least] = dtype === "float32" ? [2 ** -24, 2 ** -149] : [2 ** -53, 2 ** -1074];
      const most = dtype === "float32" ? (2 - 2 ** -23) * 2 ** 127 : Number.MAX_VALUE;
      // Taken in float64, 1 - beta2^t has the error of beta2^t, of 1/1000 its size.
      const correction = 1000 * 2 ** -53;
      for (const each of cases) {
        const found = stepsOf(each, backend, dtype, false);
        expect(stepsOf(each, backend, dtype, true)).toEqual(found);
        const smallest = Math.min(...each.gradients.map(Math.abs));
        // Some roundings in every update, and what numbers below the normal range lose: half of the
        // smallest number, of a hundredth of the gradient where signs alternate.
        const bound = 6 * each.gradients.length * ulp + correction + (150 * least) / smallest;
        // An average stands still once a hundredth of what it lacks is half a rounding; seen beside
        // an epsilon of 1e-4.
        const still = each.every === undefined ? 0 : (50 * ulp * 0.1) / 1e-4;
        each.steps.forEach((expected, i) => {
          // The root of a sum of squares may be no number of the dtype; then it stays at the
          // largest.
          if (each.rule === "adagrad" && i > 0 && smallest === Math.abs(each.gradients[0]!)) {
            if (smallest * Math.sqrt(i + 1) > most) return;
          }
          const at = i * (each.every ?? 1);
          for (const step of found[at]!) {
            const error = Math.abs(step - expected) / Math.max(Math.abs(expected), least / ulp);
            const label = `${each.rule}, ${each.gradients[0]}, ${each.gradients[1]}, update ${at}`;
            expect(Number.isFinite(step), label).toBe(true);
            expect(error, `${label}: ${step}, expected ${expected}`).toBeLessThan(bound + still);
          }
        });
      }
    },
  );
});
