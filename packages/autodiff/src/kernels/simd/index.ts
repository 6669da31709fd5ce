import {
  argReduceNames,
  binaryNames,
  type FloatKernels,
  type Int32Kernels,
  int32BinaryNames,
  int32ReduceNames,
  type Kernels,
  reduceNames,
  rowsNames,
  scaledNames,
  unaryNames,
} from "../contract.ts";
import { gateNames } from "../gates.ts";
import type { Memory } from "../memory.ts";
import { normalizationNames } from "../normalization.ts";
import { updateNames } from "../update.ts";
import { instantiate, type KernelExports } from "./instantiate.ts";
import { module } from "./module.ts";
import { plainModule } from "./plain.ts";
import { decode } from "./text.ts";

type KernelExport = KernelExports[string];

/** Every name of `FloatKernels` that its export alone serves; `matmul` needs scratch besides. */
const floatNames = [
  ...unaryNames,
  ...scaledNames,
  ...binaryNames,
  ...reduceNames,
  ...argReduceNames,
  ...rowsNames,
  ...gateNames,
  ...normalizationNames,
  ...updateNames,
  "select",
  "cumsum",
  "argsort",
  "scatterAdd",
  "oneHot",
  "crossEntropy",
  "crossEntropyVjp",
  "pack",
  "addRows",
  "addTo",
  "fill",
  "sumSquares",
  "firstNonFinite",
] as const;
const moveNames = ["copy", "gather"] as const;
const castNames = [
  "float32ToFloat64",
  "float64ToFloat32",
  "float32ToInt32",
  "float64ToInt32",
  "int32ToFloat32",
  "int32ToFloat64",
] as const;

/** `(func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2)))` */
// biome-ignore format: one section a line: header, type, function, code
const relaxedModule = [
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b,
  0x03, 0x02, 0x01, 0x00,
  0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b,
];

/** What exports of a family begin with, where it is not the family's name. */
const prefixes: Readonly<Record<string, string>> = { float32: "f32", float64: "f64" };

/** The export called `name`. */
function kernel(exports: KernelExports, name: string): KernelExport {
  const found = exports[name];
  if (typeof found === "function") return found;
  throw new Error(
    `kernels: the kernel module has no export ${name}; rebuild it with scripts/build-kernels.mjs`,
  );
}

/** The exports called `prefix` plus each name. */
function kernels<const Name extends string>(
  exports: KernelExports,
  prefix: string,
  names: readonly Name[],
): Record<Name, KernelExport> {
  const found: Partial<Record<Name, KernelExport>> = {};
  for (const name of names) found[name] = kernel(exports, prefix + name);
  return found as Record<Name, KernelExport>;
}

function floatKernels(exports: KernelExports, prefix: string, scratch: number): FloatKernels {
  const product = kernel(exports, `${prefix}matmul`);
  const packed = kernel(exports, `${prefix}matmulPacked`);
  return {
    ...kernels(exports, prefix, floatNames),
    matmulPacked: (m, n, k, a, lda, aTransposed, b, c, ldc, accumulate) => {
      packed(m, n, k, a, lda, aTransposed, b, c, ldc, accumulate, scratch);
    },
    matmul: (m, n, k, a, lda, aTransposed, b, ldb, bTransposed, c, ldc, accumulate) => {
      product(m, n, k, a, lda, aTransposed, b, ldb, bTransposed, c, ldc, accumulate, scratch);
    },
  };
}

/** The export that serves an int32 kernel, and the code that it takes after the contract's arguments. */
function int32Export(name: string): [name: string, trailing: readonly number[]] {
  const folded = { sum: "add", max: "maximum", min: "minimum" }[name];
  const code = (int32BinaryNames as readonly string[]).indexOf(folded ?? name);
  if (code < 0) return [name, []];
  return [folded === undefined ? "binary" : "fold", [code]];
}

function int32Kernels(exports: KernelExports): Int32Kernels {
  const names = [
    ...int32BinaryNames,
    ...int32ReduceNames,
    "select",
    "cumsum",
    "scatterAdd",
    "fill",
  ];
  return Object.fromEntries(
    names.map((name) => {
      const [called, trailing] = int32Export(name);
      const run = kernel(exports, `int32_${called}`);
      return [name, (...args: number[]) => run(...args, ...trailing)];
    }),
  ) as unknown as Int32Kernels;
}

/** The WebAssembly kernels on `memory`; relaxed SIMD where the engine has it, unless `variant` says. */
export function simdKernels(memory: Memory, variant?: "plain" | "relaxed"): Kernels {
  const chosen =
    variant ?? (WebAssembly.validate(new Uint8Array(relaxedModule)) ? "relaxed" : "plain");
  const relaxed = decode(module);
  const exports = instantiate(chosen === "relaxed" ? relaxed : plainModule(relaxed), memory);
  return kernelsOn(exports, memory, chosen === "relaxed" ? "simd-relaxed" : "simd");
}

/** The kernel set of an instance of the kernel module on `memory`. */
export function kernelsOn(exports: KernelExports, memory: Memory, name: string): Kernels {
  const scratch = memory.allocate(
    Math.max(kernel(exports, "f32_matmulScratch")(), kernel(exports, "f64_matmulScratch")()),
  );
  return {
    name,
    float32: floatKernels(exports, "f32_", scratch),
    float64: floatKernels(exports, "f64_", scratch),
    int32: int32Kernels(exports),
    move32: kernels(exports, "move32_", moveNames),
    move64: kernels(exports, "move64_", moveNames),
    cast: kernels(exports, "cast_", castNames),
    firstOutOfRange: kernel(exports, "firstOutOfRange"),
    lanes: (family, name) => exports[`${prefixes[family] ?? family}_lanes_${name}`],
    linkable(family, name) {
      if (family === "int32") {
        const [called, trailing] = int32Export(name);
        return { run: kernel(exports, `int32_${called}`), trailing };
      }
      const prefix = prefixes[family] ?? family;
      const trailing = name === "matmul" || name === "matmulPacked" ? [scratch] : [];
      return { run: kernel(exports, `${prefix}_${name}`), trailing };
    },
  };
}
