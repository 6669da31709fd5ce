import type { FloatKernels } from "../contract.ts";
import type { Memory } from "../memory.ts";

type Products = Pick<FloatKernels, "matmul" | "pack" | "matmulPacked">;

/** The definition, summed in float64 and rounded once when stored. A packed matrix is its plain rows. */
export function matmul(memory: Memory, dtype: "float32" | "float64"): Products {
  const size = dtype === "float32" ? 4 : 8;
  const product: FloatKernels["matmul"] = (
    m,
    n,
    k,
    a,
    lda,
    aTransposed,
    b,
    ldb,
    bTransposed,
    c,
    ldc,
    accumulate,
  ) => {
    const view = memory.views[dtype];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const index = c / size + i * ldc + j;
        let sum = accumulate === 1 ? view[index]! : 0;
        for (let p = 0; p < k; p++) {
          const left = view[a / size + (aTransposed === 1 ? p * lda + i : i * lda + p)]!;
          const right = view[b / size + (bTransposed === 1 ? j * ldb + p : p * ldb + j)]!;
          sum += left * right;
        }
        view[index] = sum;
      }
    }
  };
  return {
    matmul: product,
    pack(n, k, b, ldb, bTransposed, y) {
      const view = memory.views[dtype];
      for (let p = 0; p < k; p++) {
        for (let j = 0; j < n; j++) {
          const from = b / size + (bTransposed === 1 ? j * ldb + p : p * ldb + j);
          view[y / size + p * n + j] = view[from]!;
        }
      }
    },
    matmulPacked: (m, n, k, a, lda, aTransposed, b, c, ldc, accumulate) =>
      product(m, n, k, a, lda, aTransposed, b, n, 0, c, ldc, accumulate),
  };
}
