import { type FloatKernels, type Kernels, linkageOf } from "../contract.ts";
import { productSignatures } from "../matmul.ts";
import type { Memory } from "../memory.ts";
import { argumentsByName } from "../signature.ts";
import type { BlasLibrary, Gemm } from "./library.ts";

/**
 * Multiplications from which a product is the library's: below, the call costs more than it saves.
 */
export const leastProduct = 4096;
/** How many times as many of a product of one row: it reads each weight once. */
const rowTimes = 4;

/**
 * Columns of a panel. A packed matrix is its panels, one after the other, each `[k, panel]`, the
 * last as wide as is left.
 */
const panel = 64;
/** So many rows are few: a library that packs the matrix first spends much of its time on that. */
const fewRows = 64;
/** Multiplications of a product that is worth several cores. */
const worthCores = 2 ** 23;

/**
 * Another set's kernels, with large matrix products by a native BLAS, straight on the WebAssembly
 * memory. `least` is the number of multiplications, `m n k`, that makes a product large.
 *
 * A BLAS packs both matrices in each call. Where few rows are multiplied by one weight again and
 * again, that is half of the time; so a packed matrix is laid out in panels, with which products
 * are small enough for the library not to pack.
 */
export function blasKernels(
  base: Kernels,
  memory: Memory,
  library: BlasLibrary,
  least: number = leastProduct,
): Kernels {
  const enough = Math.max(1, least);
  const isLarge = (m: number, n: number, k: number): boolean =>
    m * n * k >= (m === 1 ? rowTimes * enough : enough);
  // Of any product by it: how a matrix is packed does not depend on what it will be multiplied by.
  const hasPanels = (n: number, k: number): boolean => library.small > 0 && isLarge(2, n, k);
  const address = addresses(memory, library);
  const floats = (dtype: "float32" | "float64"): FloatKernels => {
    const { matmul, pack, matmulPacked } = base[dtype];
    const gemm = library[dtype];
    const [size, { copy }] = dtype === "float32" ? [4, base.move32] : [8, base.move64];
    const large = whole(gemm, address);
    const byPanels = panels(gemm, address, library.small, size);
    return {
      ...base[dtype],
      matmul: (m, n, k, a, lda, aT, b, ldb, bT, c, ldc, accumulate) => {
        const chosen = isLarge(m, n, k) ? large : matmul;
        chosen(m, n, k, a, lda, aT, b, ldb, bT, c, ldc, accumulate);
      },
      pack(n, k, b, ldb, bT, y) {
        if (!hasPanels(n, k)) return pack(n, k, b, ldb, bT, y);
        const [row, column] = bT !== 0 ? [1, ldb] : [ldb, 1];
        for (let j = 0; j < n; j += panel) {
          const width = Math.min(panel, n - j);
          copy(k, width, b + j * column * size, row, column, y + j * k * size, width, 1);
        }
      },
      matmulPacked(m, n, k, a, lda, aT, b, c, ldc, accumulate) {
        const chosen = hasPanels(n, k) ? byPanels : matmulPacked;
        chosen(m, n, k, a, lda, aT, b, c, ldc, accumulate);
      },
    };
  };
  const kernels = { float32: floats("float32"), float64: floats("float64") };
  let isAlone = library.threads === 1;
  const { linkage } = base;
  /** The linkage's kernels, with products that it may link for all that are not the library's. */
  const withProducts = (dtype: "float32" | "float64"): FloatKernels => {
    const { matmul, pack, matmulPacked } = kernels[dtype];
    return { ...linkage!.kernels[dtype], matmul, pack, matmulPacked };
  };
  return {
    ...base,
    ...kernels,
    name: `${base.name} and ${library.name}`,
    prefersPacked(m, n, k) {
      if (!isLarge(m, n, k)) return true;
      if (m === 1) return false;
      return hasPanels(n, k) && m <= fewRows && (isAlone || m * n * k <= worthCores);
    },
    useOneCore() {
      if (!isAlone) library.useThreads(1);
      isAlone = true;
    },
    linkage: linkage && {
      kernels: {
        ...linkage.kernels,
        float32: withProducts("float32"),
        float64: withProducts("float64"),
      },
      lanes: linkage.lanes,
      scratch: linkage.scratch,
      ...(linkage.inline && { inline: linkage.inline }),
      linkable(family, name, args) {
        if (!(name in productSignatures)) return linkage.linkable(family, name, args);
        const { m, n, k } = argumentsByName(productSignatures[name as "matmul"], args);
        const isOurs = name === "matmul" ? isLarge(m, n, k) : hasPanels(n, k);
        return isOurs ? undefined : linkageOf(base, family, name)?.linkable(family, name, args);
      },
    },
  };
}

/** Where pointers of the kernels' memory are in the process. */
function addresses(memory: Memory, library: BlasLibrary): (pointer: number) => number {
  // Found again when the memory has grown: growing may move it.
  let [growths, origin] = [-1, 0];
  return (pointer) => {
    if (growths !== memory.growths) {
      origin = library.addressOf(memory.wasm.buffer);
      growths = memory.growths;
    }
    return origin + pointer;
  };
}

function whole(gemm: Gemm, at: (pointer: number) => number): FloatKernels["matmul"] {
  return (m, n, k, a, lda, aT, b, ldb, bT, c, ldc, accumulate) => {
    gemm(aT !== 0, bT !== 0, m, n, k, at(a), lda, at(b), ldb, accumulate, at(c), ldc);
  };
}

/**
 * A product by a matrix in panels, in parts of at most `small` multiplications where that is
 * possible.
 */
function panels(
  gemm: Gemm,
  at: (pointer: number) => number,
  small: number,
  size: number,
): FloatKernels["matmulPacked"] {
  return (m, n, k, a, lda, aT, b, c, ldc, accumulate) => {
    const [aAt, bAt, cAt] = [at(a), at(b), at(c)];
    const inner = aT !== 0 ? lda : 1;
    // Parts of the depth as even as can be.
    const parts = Math.ceil((m * Math.min(panel, n) * k) / small);
    const depth = Math.max(1, Math.ceil(k / parts));
    for (let j = 0; j < n; j += panel) {
      const width = Math.min(panel, n - j);
      for (let l = 0; l < k; l += depth) {
        gemm(
          aT !== 0,
          false,
          m,
          width,
          Math.min(depth, k - l),
          aAt + l * inner * size,
          lda,
          bAt + (j * k + l * width) * size,
          width,
          l > 0 ? 1 : accumulate,
          cAt + j * size,
          ldc,
        );
      }
    }
  };
}
