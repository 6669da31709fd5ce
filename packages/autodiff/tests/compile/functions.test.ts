import { describe, expect, test } from "vitest";
import { findBlas } from "#blas";
import {
  add,
  compile,
  createBackend,
  grad,
  nativeBlas,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { blasKernels } from "../../src/kernels/blas/index.ts";
import type { BlasLibrary } from "../../src/kernels/blas/library.ts";
import type { KernelMaker } from "../../src/kernels/contract.ts";
import { Memory } from "../../src/kernels/memory.ts";
import { simdKernels } from "../../src/kernels/simd/index.ts";
import { referenceKernels } from "../../src/reference.ts";

const rows = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Whether a memory can have more than 2 GiB here. */
function hasHighAddresses(): boolean {
  try {
    return new Memory().allocate(2 ** 31) > 0;
  } catch {
    console.log("no memory above 2 GiB can be had: its tests are skipped");
    return false;
  }
}

/** A kernel set whose every address lies above 2 GiB. */
const high =
  (make: KernelMaker): KernelMaker =>
  (memory) => {
    memory.allocate(2 ** 31);
    return make(memory);
  };

const f = (z: Tensor) => z.mul(z).add(z).tanh();

test.skipIf(!hasHighAddresses()).each<[string, KernelMaker]>([
  ["JavaScript", referenceKernels],
  ["the kernel module", simdKernels],
  [
    "WebAssembly of the set's own",
    (memory) => {
      const { name, float32, float64, int32, move32, move64, cast, firstOutOfRange } =
        simdKernels(memory);
      return { name, float32, float64, int32, move32, move64, cast, firstOutOfRange };
    },
  ],
])("a program calls functions of %s with addresses above 2 GiB", (_, make) => {
  const backend = createBackend({ kernels: high(make) });
  const compiled = compile(f);
  const y = compiled(tensor([0.5, -1], { dtype: "float64", backend }));
  expect(y.toArray()).toEqual([expect.closeTo(Math.tanh(0.75), 15), 0]);
  expect(compiled.explain()).toContain("kernel calls");
});

test.skipIf(!nativeBlas().found || !hasHighAddresses())(
  "a program's products are a native BLAS's above 2 GiB too",
  () => {
    const g = (z: Tensor) => z.matmul(z).tanh().matmul(z);
    for (const dtype of ["float32", "float64"] as const) {
      const backend = createBackend({
        kernels: high((memory) =>
          blasKernels(simdKernels(memory), memory, findBlas() as BlasLibrary),
        ),
      });
      const z = rows(64).map((row) => rows(64).map((column) => Math.sin(row + 70 * column) / 8));
      const x = tensor(z, { dtype, backend });
      const found = compile(g)(x).toTypedArray();
      const exact = createBackend({ kernels: "simd" });
      const expected = g(tensor(z, { dtype: "float64", backend: exact }));
      const y = tensor(found, { shape: [64, 64], dtype: "float64", backend: exact });
      const [error, size] = [expected.sub(y), expected].map((t) => t.abs().max().item());
      expect(error! / size!).toBeLessThan(dtype === "float32" ? 1e-5 : 1e-13);
    }
  },
);

describe("a set with a function of its own has it called by programs", () => {
  /** How often a program calls the kernel `name`, which is another set's in a function. */
  function calls(name: string, g: (z: Tensor) => Tensor): number {
    let count = 0;
    const counting: KernelMaker = (memory) => {
      const set = simdKernels(memory);
      const kernels = set.float64 as unknown as Record<string, (...args: number[]) => void>;
      const run = (...args: number[]) => {
        count++;
        kernels[name]!(...args);
      };
      return { ...set, float64: { ...set.float64, [name]: run } };
    };
    const z = tensor(
      [
        [0.5, -1],
        [2, 3],
      ],
      { dtype: "float64", backend: createBackend({ kernels: counting }) },
    );
    const expected = g(z).toArray();
    const compiled = compile(g);
    compiled(z);
    count = 0;
    expect(compiled(z).toArray()).toEqual(expected);
    expect(compiled.explain()).toContain("kernel calls");
    return count;
  }

  test("in the place of a function that fuses", () => {
    expect(calls("tanh", f)).toBe(1);
    expect(calls("mul", f)).toBe(1);
    expect(calls("softplus", f)).toBe(0);
  });

  test("in the place of products that would be packed", () => {
    expect(calls("matmul", (z) => z.matmul(z).tanh().matmul(z))).toBe(2);
  });

  test("in the place of an addition to zeros", () => {
    const g = grad((z: Tensor) =>
      add(
        z
          .slice([[], [0, 1]])
          .square()
          .sum(),
        z
          .slice([[], [1, 2]])
          .tanh()
          .sum(),
      ),
    );
    expect(calls("addTo", g)).toBeGreaterThan(0);
  });
});

test("a kernel in the place of another one is called as what it is", () => {
  const swapped: KernelMaker = (memory) => {
    const set = simdKernels(memory);
    return { ...set, float64: { ...set.float64, tanh: set.float64.sigmoid } };
  };
  const backend = createBackend({ kernels: swapped });
  const z = tensor([0.5, -1], { dtype: "float64", backend });
  expect(compile(f)(z).toArray()).toEqual(f(z).toArray());
  expect(f(z).toArray()).toEqual(z.mul(z).add(z).sigmoid().toArray());
});
