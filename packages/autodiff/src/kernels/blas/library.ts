/**
 * `C = A B + beta C` in row-major order, as `cblas_sgemm` and `cblas_dgemm` with alpha 1. Addresses
 * are those of the process. `A` is `[m,k]`, or stored `[k,m]` where it is transposed; likewise `B`.
 */
export type Gemm = (
  aTransposed: boolean,
  bTransposed: boolean,
  m: number,
  n: number,
  k: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  beta: number,
  c: number,
  ldc: number,
) => void;

/** A native BLAS that was found and gave the right answer. */
export interface BlasLibrary {
  /** What it says of itself: `OpenBLAS 0.3.21 (SkylakeX)`. */
  readonly name: string;
  /** Cores that a product may use. */
  readonly threads: number;
  /**
   * Multiplications up to which it reads matrices where they lie, on one core, faster than after
   * packing them; 0 for none.
   */
  readonly small: number;
  readonly float32: Gemm;
  readonly float64: Gemm;
  /** From here on products use so many cores, on whatever thread they run. */
  useThreads(count: number): void;
  /** The address of a buffer's first byte. */
  addressOf(buffer: ArrayBuffer): number;
}

/** The library, or why there is none, in words. */
export type BlasSearch = BlasLibrary | string;

/**
 * Whether a library computes `[[1,2,3],[4,5,6]]` times its transpose, in all four forms and on top
 * of what is there: one with other integers, or another convention, is told apart before it is
 * used.
 */
export function isRight(library: BlasLibrary): boolean {
  return (["float32", "float64"] as const).every((dtype) => {
    const make = dtype === "float32" ? Float32Array : Float64Array;
    // Side by side: X [2,3], X' [3,2], C [2,2].
    const memory = make.of(1, 2, 3, 4, 5, 6, 1, 4, 2, 5, 3, 6, 0, 0, 0, 0);
    const size = memory.BYTES_PER_ELEMENT;
    const base = library.addressOf(memory.buffer);
    const [x, xt, c] = [base, base + 6 * size, base + 12 * size];
    return [0, 1, 2, 3].every((form) => {
      const [aT, bT] = [form % 2 === 1, form > 1];
      const [a, lda] = aT ? [xt, 2] : [x, 3];
      const [b, ldb] = bT ? [x, 3] : [xt, 2];
      memory.fill(1, 12);
      library[dtype](aT, bT, 2, 2, 3, a, lda, b, ldb, 1, c, 2);
      return [15, 33, 33, 78].every((value, i) => memory[12 + i] === value);
    });
  });
}
