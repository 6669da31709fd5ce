import type { Memory } from "./memory.ts";
import type { KernelsOf } from "./signature.ts";

export const productSignatures = {
  /**
   * `c[m,n] = A B`, plus `c` when `accumulate` is 1; `k = 0` gives zeros. `A` is `a[m,k]`, or the
   * transpose of `a[k,m]` when `aTransposed` is 1; likewise `B` from `b[k,n]` or `b[n,k]`. `lda`,
   * `ldb`, `ldc` are the row strides of the three as stored. `c` never overlaps an operand.
   * Operands are not copied whole.
   */
  matmul: "m n k a:in lda aTransposed b:in ldb bTransposed c:inout ldc accumulate",
  /** `B` of `matmul` in the form that `matmulPacked` reads, `packedLength(n, k)` elements. */
  pack: "n k b:in ldb bTransposed y:out",
  /** `matmul` by a packed `B`, with the same bits: for a matrix that many products share. */
  matmulPacked: "m n k a:in lda aTransposed b:in c:inout ldc accumulate",
} as const;
export type ProductKernels = KernelsOf<typeof productSignatures>;

/** Elements of a packed `[k, n]` matrix: columns are filled up to whole panels of 32 bytes. */
export function packedLength(n: number, k: number): number {
  return Math.ceil(n / 8) * 8 * k;
}

/**
 * The definition, summed in float64 and rounded once when stored. A packed matrix is its plain
 * rows.
 */
export function referenceProducts(memory: Memory, dtype: "float32" | "float64"): ProductKernels {
  const size = dtype === "float32" ? 4 : 8;
  const product: ProductKernels["matmul"] = (
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
