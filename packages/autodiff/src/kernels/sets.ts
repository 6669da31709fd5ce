import { findBlas } from "#blas";
import { blasKernels } from "./blas/index.ts";
import type { KernelMaker } from "./contract.ts";
import { simdKernels } from "./simd/index.ts";

/**
 * Kernel sets by name: `native`, the default, is `simd` with large matrix products by the system's
 * BLAS where one is found (OpenBLAS, Accelerate, MKL or BLIS, in Node with the package koffi; see
 * `CHRONOGRAD_BLAS` in the guide); `blas` has all products there; `simd` is the variant of the
 * WebAssembly kernels that the engine offers.
 */
export type KernelSetName = "native" | "blas" | "simd" | "simd-plain" | "simd-relaxed";

/** Makes each of them. */
export const makers: Readonly<Record<KernelSetName, KernelMaker>> = {
  native(memory) {
    const library = findBlas();
    const kernels = simdKernels(memory);
    return typeof library === "string" ? kernels : blasKernels(kernels, memory, library);
  },
  blas(memory) {
    const library = findBlas();
    if (typeof library !== "string") return blasKernels(simdKernels(memory), memory, library, 0);
    throw new Error(
      `createBackend: kernels "blas" need a native BLAS, got ${library}; install OpenBLAS and the package koffi, or use "native"`,
    );
  },
  simd: (memory) => simdKernels(memory),
  "simd-plain": (memory) => simdKernels(memory, "plain"),
  "simd-relaxed": (memory) => simdKernels(memory, "relaxed"),
};
