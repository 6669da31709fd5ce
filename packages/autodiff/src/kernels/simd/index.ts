import {
  type Family,
  type FloatKernels,
  type Kernels,
  kernelNames,
  type Linkable,
} from "../contract.ts";
import { takesNumber } from "../elementwise.ts";
import type { Memory } from "../memory.ts";
import { exportOf, lanesExport, takesScratch } from "./exports.ts";
import { inlineCodes } from "./inline.ts";
import { instantiate, type KernelExports } from "./instantiate.ts";
import { module } from "./module.ts";
import { plainModule } from "./plain.ts";
import { decode } from "./text.ts";

type KernelExport = KernelExports[string];

/**
 * `(func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2)))`
 */
// biome-ignore format: one section a line: header, type, function, code
const relaxedModule = [
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b,
  0x03, 0x02, 0x01, 0x00,
  0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b,
];

/** The export called `name`. */
function kernel(exports: KernelExports, name: string): KernelExport {
  const found = exports[name];
  if (typeof found === "function") return found;
  throw new Error(
    `kernels: the kernel module has no export ${name}; rebuild it with scripts/build-kernels.mjs`,
  );
}

/**
 * The WebAssembly kernels on `memory`; relaxed SIMD where the engine has it, unless `variant` says.
 */
export function simdKernels(memory: Memory, variant?: "plain" | "relaxed"): Kernels {
  const chosen =
    variant ?? (WebAssembly.validate(new Uint8Array(relaxedModule)) ? "relaxed" : "plain");
  const relaxed = decode(module);
  const code = chosen === "relaxed" ? relaxed : plainModule(relaxed);
  const name = chosen === "relaxed" ? "simd-relaxed" : "simd";
  return kernelsOn(instantiate(code, memory), memory, name, code);
}

/** The kernel set of an instance of the kernel module on `memory`. */
export function kernelsOn(
  exports: KernelExports,
  memory: Memory,
  name: string,
  code: Uint8Array,
): Kernels {
  const scratch = memory.allocate(
    Math.max(kernel(exports, "f32_matmulScratch")(), kernel(exports, "f64_matmulScratch")()),
  );
  kernel(exports, "useRoom")(memory.allocate(kernel(exports, "roomBytes")()));
  const linkable = (family: Family, name: string): Linkable => {
    const [called, code] = exportOf(family, name);
    const trailing = takesScratch(name) ? (["scratch"] as const) : code === undefined ? [] : [code];
    return { run: kernel(exports, called), trailing };
  };
  const family = <Of extends Family>(of: Of): Kernels[Of] => {
    const found: Record<string, KernelExport> = {};
    for (const name of kernelNames(of)) {
      const [called, code] = exportOf(of, name);
      const run = kernel(exports, called);
      const last = takesScratch(name) ? scratch : code;
      found[name] = last === undefined ? run : (...args) => run(...args, last);
    }
    return found as unknown as Kernels[Of];
  };
  const floats = (dtype: "float32" | "float64"): FloatKernels => {
    const product = kernel(exports, exportOf(dtype, "matmul")[0]);
    const packed = kernel(exports, exportOf(dtype, "matmulPacked")[0]);
    return {
      ...family(dtype),
      // With as many arguments as there are: these are called the most.
      matmul: (m, n, k, a, lda, aT, b, ldb, bT, c, ldc, accumulate) => {
        product(m, n, k, a, lda, aT, b, ldb, bT, c, ldc, accumulate, scratch);
      },
      matmulPacked: (m, n, k, a, lda, aT, b, c, ldc, accumulate) => {
        packed(m, n, k, a, lda, aT, b, c, ldc, accumulate, scratch);
      },
    };
  };
  const kernels = {
    float32: floats("float32"),
    float64: floats("float64"),
    int32: family("int32"),
    move32: family("move32"),
    move64: family("move64"),
    cast: family("cast"),
  };
  const lanes = (of: Family, called: string) => exports[lanesExport(of, called)];
  const inlined = inlineCodes(code);
  const inline = (of: Family, called: string) =>
    inlined(lanesExport(of, called), takesNumber(called) ? 2 : 1);
  return {
    name,
    ...kernels,
    firstOutOfRange: kernel(exports, "firstOutOfRange"),
    linkage: { kernels, lanes, inline, linkable, scratch },
  };
}
