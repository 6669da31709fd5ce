/// <reference types="node" />
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { isMainThread } from "node:worker_threads";
import { type BlasLibrary, type BlasSearch, type Gemm, isRight } from "./library.ts";

/** The part of koffi that is used. */
interface Koffi {
  load(path: string): { func(declaration: string): (...args: unknown[]) => unknown };
  address(value: ArrayBufferView): bigint;
}
type Loaded = ReturnType<Koffi["load"]>;

/**
 * Names by which a BLAS with cblas functions is known, by platform; the first that loads and is
 * right is used.
 */
const candidates: Readonly<Record<string, readonly string[]>> = {
  linux: [
    "libopenblas.so.0",
    "libopenblas.so",
    "libmkl_rt.so.3",
    "libmkl_rt.so.2",
    "libmkl_rt.so",
    "libblis.so.4",
    "libblis.so",
  ],
  darwin: [
    "/System/Library/Frameworks/Accelerate.framework/Accelerate",
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    "/usr/local/opt/openblas/lib/libopenblas.dylib",
  ],
  win32: ["libopenblas.dll", "openblas.dll", "mkl_rt.2.dll", "mkl_rt.dll"],
};

let found: BlasSearch | undefined;

/**
 * The system's BLAS, through koffi, searched for once, for a thread of a pool or another one. The
 * environment's `CHRONOGRAD_BLAS` says
 * `off`, or the path of the library to use. A search that may not look finds nothing.
 */
export function findBlas(isInPool = false): BlasSearch {
  if (found !== undefined) return found;
  try {
    found = search(process.env.CHRONOGRAD_BLAS, isInPool);
  } catch (error) {
    // Deno, say, without permission to read the environment.
    found = `none, because the search failed (${error instanceof Error ? error.message : String(error)})`;
  }
  return found;
}

function search(wish: string | undefined, isInPool: boolean): BlasSearch {
  if (wish === "off") return "off, as CHRONOGRAD_BLAS says";
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)("koffi") as Koffi;
  } catch {
    return "none, because the optional package koffi is not installed";
  }
  const paths = wish ? [wish] : (candidates[process.platform] ?? []);
  nameProcessor(koffi);
  let reason = "none found";
  for (const path of paths) {
    const result = attempt(koffi, path, isInPool);
    if (typeof result !== "string") return result;
    if (wish) reason = `none, because ${wish}, which CHRONOGRAD_BLAS names, ${result}`;
  }
  return reason;
}

function attempt(koffi: Koffi, path: string, isInPool: boolean): BlasLibrary | string {
  let loaded: Loaded;
  try {
    loaded = koffi.load(path);
  } catch (error) {
    return `could not be loaded (${error instanceof Error ? error.message : String(error)})`;
  }
  try {
    const useThreads = threadsOf(loaded);
    // Worker threads share the cores among themselves; those of a pool are told by whoever owns it.
    if (!isMainThread && !isInPool) useThreads(1);
    const library: BlasLibrary = {
      ...described(loaded, path),
      useThreads,
      float32: gemm(loaded, "cblas_sgemm", "float"),
      float64: gemm(loaded, "cblas_dgemm", "double"),
      addressOf: (buffer) => Number(koffi.address(new Uint8Array(buffer))),
    };
    return isRight(library) ? library : "computes a product wrongly";
  } catch (error) {
    return `has no cblas functions (${error instanceof Error ? error.message : String(error)})`;
  }
}

/**
 * Pointers are declared as whole numbers of their size, which the calling conventions pass alike:
 * no object is made.
 */
function gemm(loaded: Loaded, name: string, scalar: string): Gemm {
  const call = loaded.func(
    `void ${name}(int, int, int, int, int, int, ${scalar}, uintptr_t, int, uintptr_t, int, ${scalar}, uintptr_t, int)`,
  );
  const [rowMajor, plain, transposed] = [101, 111, 112];
  return (aT, bT, m, n, k, a, lda, b, ldb, beta, c, ldc) => {
    const [opA, opB] = [aT ? transposed : plain, bT ? transposed : plain];
    call(rowMajor, opA, opB, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
  };
}

/** How libraries are told how many threads to use. */
const setThreads = [
  "void openblas_set_num_threads(int)",
  "void MKL_Set_Num_Threads(int)",
  "void bli_thread_set_num_threads(int64_t)",
];

/** Tells a library how many threads to use, in the first way that it has. */
function threadsOf(loaded: Loaded): (count: number) => void {
  for (const declaration of setThreads) {
    try {
      const set = loaded.func(declaration);
      return (count) => void set(count);
    } catch {
      // Another library's.
    }
  }
  return () => {};
}

/** What a library is, as far as it says. */
function described(loaded: Loaded, path: string): Pick<BlasLibrary, "name" | "threads" | "small"> {
  const ask = (declaration: string, ...given: number[]): unknown => {
    try {
      return loaded.func(declaration)(...given);
    } catch {
      return undefined;
    }
  };
  const config = ask("const char* openblas_get_config()");
  if (typeof config !== "string") {
    const threads = isMainThread ? availableParallelism() : 1;
    return { name: path.replace(/^.*[\\/]/, ""), threads, small: 0 };
  }
  const threads = Number(ask("int openblas_get_num_threads()"));
  const core = String(ask("const char* openblas_get_corename()"));
  const version = /OpenBLAS\s+([\d.]+)/.exec(config)?.[1] ?? "";
  return {
    name: `OpenBLAS ${version} (${core}, ${threads} ${threads === 1 ? "thread" : "threads"})`,
    threads,
    // Its kernels for small matrices are those of processors with AVX-512, for up to 100^3
    // multiplications.
    small: /SkylakeX|Cooperlake|SapphireRapids/i.test(core) ? 1e6 : 0,
  };
}

/**
 * Tells OpenBLAS which kernels this processor runs, unless the environment does: a release older
 * than the processor takes it for an ancient one, at a tenth of the speed. It reads the C
 * environment, which is not a worker's `process.env`.
 */
function nameProcessor(koffi: Koffi): void {
  if (process.platform !== "linux" || process.arch !== "x64") return;
  try {
    if (process.env.OPENBLAS_CORETYPE !== undefined) return;
    const flags = new Set(
      /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" "),
    );
    const has = (...names: string[]) => names.every((name) => flags.has(name));
    const core = has("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd")
      ? "SkylakeX"
      : has("avx2", "fma")
        ? "Haswell"
        : undefined;
    if (core === undefined) return;
    koffi.load("libc.so.6").func("int setenv(const char*, const char*, int)")(
      "OPENBLAS_CORETYPE",
      core,
      0,
    );
  } catch {
    // Then the library decides by itself.
  }
}
