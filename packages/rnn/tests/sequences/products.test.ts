import { createBackend, type Tensor, tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { initialParams, lstm, unroll } from "../../src/index.ts";

/** With a product of its own the batch is bitwise its rows; a BLAS may sum in another order. */
test.each(["simd", "native"] as const)(
  "large rows of a ragged batch are those alone: %s",
  (kernels) => {
    const backend = createBackend({ kernels });
    const cell = lstm({ input: 96, hidden: 128 });
    const params = initialParams(cell, rng(1), { backend, dtype: "float64" });
    const [T, B] = [4, 33];
    const random = rng(2);
    const values = Float64Array.from({ length: T * B * 96 }, () => random.normal());
    const inputs = tensor(values, { shape: [T, B, 96], backend });
    const lengths = Array.from({ length: B }, (_, row) => row % (T + 1));
    const { outputs } = unroll(cell, params, inputs, { lengths });
    let worst = 0;
    for (const [row, length] of lengths.entries()) {
      if (length === 0) continue;
      const own = (x: Tensor) =>
        x.slice([
          [0, length],
          [row, row + 1],
        ]);
      const alone = unroll(cell, params, own(inputs)).outputs;
      worst = Math.max(worst, own(outputs).sub(alone).abs().max().item());
    }
    expect(worst).toBeLessThanOrEqual(kernels === "simd" ? 0 : 1e-12);
  },
);
