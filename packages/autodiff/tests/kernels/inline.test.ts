import { expect, test } from "vitest";
import { Memory } from "../../src/kernels/memory.ts";
import { simdKernels } from "../../src/kernels/simd/index.ts";

test.each(["plain", "relaxed"] as const)("loops contain the functions of gates, %s", (variant) => {
  const { inline } = simdKernels(new Memory(), variant).linkage!;
  for (const name of ["sigmoid", "tanh", "exp", "log", "softplus", "silu", "leakyRelu"]) {
    expect(inline!("float32", name), name).toBeDefined();
  }
  // It calls a function that is not exported.
  expect(inline!("float32", "expm1")).toBeUndefined();
  expect(inline!("float32", "mul")).toBeUndefined();
});
