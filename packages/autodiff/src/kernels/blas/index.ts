import type { FloatKernels, Kernels } from "../contract.ts";
import type { Memory } from "../memory.ts";
import type { BlasLibrary, Gemm } from "./library.ts";

/** Multiplications from which a product is the library's: below, the call costs more than it saves. */
export const leastProduct = 4096;

/**
 * Another set's kernels, with large matrix products by a native BLAS, straight on the WebAssembly memory. `least` is the
 * number of multiplications, `m n k`, that makes a product large.
 */
export function blasKernels(
  base: Kernels,
  memory: Memory,
  library: BlasLibrary,
  least: number = leastProduct,
): Kernels {
  const native: Record<string, FloatKernels["matmul"]> = {};
  // The address of the memory, found again when it has grown: growing may move it.
  let [growths, origin] = [-1, 0];
  const product = (gemm: Gemm): FloatKernels["matmul"] => {
    return (m, n, k, a, lda, aTransposed, b, ldb, bTransposed, c, ldc, accumulate) => {
      if (growths !== memory.growths) {
        origin = library.addressOf(memory.wasm.buffer);
        growths = memory.growths;
      }
      // WebAssembly passes addresses above 2^31 as negative numbers.
      const at = (pointer: number) => origin + (pointer >>> 0);
      gemm(
        aTransposed !== 0,
        bTransposed !== 0,
        m,
        n,
        k,
        at(a),
        lda,
        at(b),
        ldb,
        accumulate,
        at(c),
        ldc,
      );
    };
  };
  const isLarge = (m: number, n: number, k: number): boolean => m * n * k >= Math.max(1, least);
  const floats = (dtype: "float32" | "float64"): FloatKernels => {
    const { matmul } = base[dtype];
    const large = product(library[dtype]);
    native[dtype] = large;
    return {
      ...base[dtype],
      matmul: (m, n, k, a, lda, aT, b, ldb, bT, c, ldc, accumulate) => {
        const chosen = isLarge(m, n, k) ? large : matmul;
        chosen(m, n, k, a, lda, aT, b, ldb, bT, c, ldc, accumulate);
      },
    };
  };
  return {
    ...base,
    name: `${base.name} and ${library.name}`,
    float32: floats("float32"),
    float64: floats("float64"),
    prefersPacked: (m, n, k) => !isLarge(m, n, k),
    linkable(family, name, args) {
      const [m, n, k] = args as [number, number, number];
      const large = name === "matmul" && isLarge(m, n, k) ? native[family] : undefined;
      return large === undefined
        ? base.linkable?.(family, name, args)
        : { run: large as (...args: number[]) => void, trailing: [] };
    },
  };
}
