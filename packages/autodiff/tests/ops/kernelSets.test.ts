import { describe, expect, test } from "vitest";
import { createBackend, scope, type Tensor } from "../../src/index.ts";
import { opTable } from "../../src/ops/table.ts";
import { referenceKernels } from "../../src/reference.ts";
import { drawInputs } from "./samples.ts";

const reference = createBackend({ kernels: referenceKernels });
const sets = (["simd-plain", "simd-relaxed"] as const).map((kernels) => createBackend({ kernels }));

/** Largest error relative to the larger of both and 1. */
function distance(a: Tensor, b: Tensor): number {
  const [x, y] = [a.toTypedArray(), b.toTypedArray()];
  expect(a.shape).toEqual(b.shape);
  expect(a.dtype).toBe(b.dtype);
  let worst = 0;
  for (let i = 0; i < x.length; i++) {
    const error = Math.abs(x[i]! - y[i]!) / Math.max(1, Math.abs(x[i]!), Math.abs(y[i]!));
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

describe.each(opTable())("$name", ({ declaration }) => {
  test.each(declaration.samples)(
    "$label: every kernel set agrees with the reference, in both dtypes",
    (sample) => {
      for (const seed of [1, 2, 3, 4, 5]) {
        scope(() => {
          const on = (backend: typeof reference, dtype: "float32" | "float64") =>
            sample.call(drawInputs(sample, declaration, seed, { backend, dtype }));
          const exact = on(reference, "float64");
          for (const backend of sets) {
            expect(distance(on(backend, "float64"), exact)).toBeLessThan(1e-13);
            // A few roundings of values up to e^2, the largest that the samples give.
            expect(distance(on(backend, "float32"), on(reference, "float32"))).toBeLessThan(2e-6);
          }
        });
      }
    },
  );
});
