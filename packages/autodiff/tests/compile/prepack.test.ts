import { expect, test } from "vitest";
import { compile, createBackend, grad, type Tensor, tensor } from "../../src/index.ts";
import { referenceKernels } from "../../src/reference.ts";

/** Rows one after the other, each from the one before, by a matrix; on the way back transposed. */
const chain = (steps: number) =>
  grad((x: Tensor, w: Tensor) => {
    let row = x;
    for (let t = 0; t < steps; t++) row = row.matmul(w).tanh();
    return row.square().sum();
  });

test.each([
  [1, 3],
  [1, 20],
  [2, 20],
  [7, 20],
])("%i rows times a matrix, %i times: the same values, packed or transposed", (rows, steps) => {
  for (const kernels of [undefined, referenceKernels]) {
    const backend = createBackend(kernels && { kernels });
    const values = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i));
    // Columns that fill no vector; and one that a native library may take.
    for (const size of [13, 70]) {
      const x = tensor(values(rows * size), { shape: [rows, size], backend });
      const w = tensor(values(size * size), { shape: [size, size], backend });
      const f = compile(chain(steps));
      const expected = chain(steps)(x, w).toTypedArray();
      // A native library may take the sums of several rows in another order.
      const bound = rows === 1 ? 0 : 1e-5 * Math.max(...expected.map(Math.abs));
      for (let call = 0; call < 3; call++) {
        f(x, w)
          .toTypedArray()
          .forEach((value, i) => {
            expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(bound);
          });
      }
      expect(f.explain()).not.toContain("not compiled");
    }
  }
});
