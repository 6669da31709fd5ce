/**
 * The kernel contract: every function that touches bytes, for every kernel set. One table,
 * `signatures`, says what kernels there are and what each argument is; the families in this folder
 * hold its parts, with a line of mathematics for each.
 *
 * A pointer is a byte address in the backend's memory, aligned to its element. Sizes and strides
 * count elements, never bytes. A kernel does not check its arguments: shapes and ranges are checked
 * by the op that calls it. Outputs may alias an input only where the same index is read and written
 * (`y === x` in unary and binary kernels over contiguous operands).
 */

import { elementwiseSignatures } from "./elementwise.ts";
import { gateSignatures } from "./gates.ts";
import { type Int32Kernels, int32Signatures } from "./int32.ts";
import { productSignatures } from "./matmul.ts";
import type { Memory } from "./memory.ts";
import {
  type CastKernels,
  castSignatures,
  type firstOutOfRange,
  indexedSignatures,
  type MoveKernels,
  moveSignatures,
  type NumberKernels,
  numberSignatures,
} from "./move.ts";
import { normalizationSignatures } from "./normalization.ts";
import { recurrenceSignatures } from "./recurrence.ts";
import { reduceSignatures } from "./reduce.ts";
import { rowsSignatures } from "./rows.ts";
import type { Kernel, KernelsOf } from "./signature.ts";
import { updateSignatures } from "./update.ts";
import { windowSignatures } from "./window.ts";

/** Kernels of a floating dtype that return nothing. */
export type FloatSignatures = typeof elementwiseSignatures &
  typeof reduceSignatures &
  typeof rowsSignatures &
  typeof productSignatures &
  typeof indexedSignatures &
  typeof gateSignatures &
  typeof recurrenceSignatures &
  typeof normalizationSignatures &
  typeof updateSignatures &
  typeof windowSignatures;

const floats: FloatSignatures = {
  ...elementwiseSignatures,
  ...reduceSignatures,
  ...rowsSignatures,
  ...productSignatures,
  ...indexedSignatures,
  ...gateSignatures,
  ...recurrenceSignatures,
  ...normalizationSignatures,
  ...updateSignatures,
  ...windowSignatures,
};

/** The arguments of every kernel that returns nothing, by family and name. */
export const signatures: {
  readonly float32: FloatSignatures;
  readonly float64: FloatSignatures;
  readonly int32: typeof int32Signatures;
  readonly move32: typeof moveSignatures;
  readonly move64: typeof moveSignatures;
  readonly cast: typeof castSignatures;
} = {
  float32: floats,
  float64: floats,
  int32: int32Signatures,
  move32: moveSignatures,
  move64: moveSignatures,
  cast: castSignatures,
};
export type Family = keyof typeof signatures;

/** The kernels of one floating dtype. */
export type FloatKernels = KernelsOf<FloatSignatures> & NumberKernels;

/**
 * Makes a kernel set over a memory: `createBackend({ kernels })` takes one. A set may be another
 * one with some kernels of its own, as `blas/` is: compiled programs call those too. Its name is
 * free. `testKernels` holds any set to the reference kernels.
 *
 * @example
 * ```ts
 * import { createBackend, tensor } from "@chronograd/autodiff";
 * import { type KernelMaker, simdKernels } from "@chronograd/autodiff/extend";
 * import { referenceKernels } from "@chronograd/autodiff/reference";
 * import { testKernels } from "@chronograd/autodiff/testing";
 *
 * let calls = 0;
 * const counting: KernelMaker = (memory) => {
 *   const simd = simdKernels(memory);
 *   const tanh: typeof simd.float32.tanh = (n, x, y) => {
 *     calls++;
 *     // Looked up in each call: views are made anew when the memory grows.
 *     const view = memory.views.float32;
 *     for (let i = 0; i < n; i++) view[y / 4 + i] = Math.tanh(view[x / 4 + i]!);
 *   };
 *   return { ...simd, name: "counting", float32: { ...simd.float32, tanh } };
 * };
 * tensor([0], { backend: createBackend({ kernels: counting }) }).tanh().item(); // => 0
 * calls; // => 1
 *
 * // Its test:
 * testKernels(counting, { reference: referenceKernels, runs: 1 }).ok; // => true
 * ```
 */
export type KernelMaker = (memory: Memory) => Kernels;

/** One kernel set over one memory. */
export interface Kernels {
  /** What a report calls it: `reference`, `simd`, `simd-relaxed`. */
  readonly name: string;
  readonly float32: FloatKernels;
  readonly float64: FloatKernels;
  readonly int32: Int32Kernels;
  /** Elements of 4 bytes: float32 and int32. */
  readonly move32: MoveKernels;
  /** Elements of 8 bytes: float64. */
  readonly move64: MoveKernels;
  readonly cast: CastKernels;
  readonly firstOutOfRange: Kernel<typeof firstOutOfRange, number>;
  /**
   * Whether many products `[m,k] [k,n]` by one matrix gain from packing it; all do unless this says
   * otherwise.
   */
  prefersPacked?(m: number, n: number, k: number): boolean;
  /**
   * From here on each product uses one core: threads of a library that wait for the next product
   * take time from those that run shards of a program.
   */
  useOneCore?(): void;
  /**
   * How compiled programs call kernels of WebAssembly without JavaScript, and fuse them. A set that
   * is made from another may keep that one's: what it replaces is called as its own function.
   */
  readonly linkage?: Linkage | undefined;
}

/** WebAssembly code behind kernels, for other WebAssembly code to call. */
export interface Linkage {
  /** The kernels that it is the code of. */
  readonly kernels: Pick<Kernels, Family>;
  /**
   * An element-wise function on one vector of 128 bits (and a second one, all of the kernel's
   * `alpha`, where it takes that), with the same bits as its kernel. Without it, the kernel is
   * fused only where a few instructions can stand for it.
   */
  lanes(family: Family, name: string): ((...args: never[]) => unknown) | undefined;
  /** The code of such a function, where it may stand in the place of a call. */
  inline?(family: Family, name: string): InlineCode | undefined;
  /**
   * The function behind a kernel for calls with `args`, and the arguments that it takes after the
   * contract's; none, if the call has to go through the kernel itself.
   */
  linkable(family: Family, name: string, args: readonly number[]): Linkable | undefined;
  /** The address of the memory that products pack into. */
  readonly scratch: number;
}

/** The instructions of a function on vectors, whose operands are its first locals. */
export interface InlineCode {
  /** How many vectors it has for locals. */
  readonly locals: number;
  /** Its bytes, given the first of these locals, and the indices of functions by name. */
  write(first: number, indexOf: (name: string) => number): number[];
}

/** The code behind a kernel of a set, unless the set has a function of its own in its place. */
export function linkageOf(set: Kernels, family: Family, name: string): Linkage | undefined {
  const { linkage } = set;
  const own = (kernels: Pick<Kernels, Family>): unknown =>
    (kernels[family] as unknown as Readonly<Record<string, unknown>>)[name];
  return linkage !== undefined && own(set) === own(linkage.kernels) ? linkage : undefined;
}

/**
 * A function behind a kernel, and the arguments that it takes after the contract's: numbers, or the
 * address of the scratch memory of whoever runs it.
 */
export interface Linkable {
  readonly run: (...args: number[]) => unknown;
  readonly trailing: readonly (number | "scratch")[];
}

/** Every kernel of a family. */
export function kernelNames(family: Family): string[] {
  const isFloat = family === "float32" || family === "float64";
  return Object.keys({ ...signatures[family], ...(isFloat && numberSignatures) });
}

/** The first kernel of the table that a set lacks, if any. */
export function missingFrom(set: Partial<Kernels> | undefined): string | undefined {
  for (const family of Object.keys(signatures) as Family[]) {
    const kernels = set?.[family] as Readonly<Record<string, unknown>> | undefined;
    const name = kernelNames(family).find((one) => typeof kernels?.[one] !== "function");
    if (name !== undefined) return `${family}.${name}`;
  }
  return typeof set?.firstOutOfRange === "function" ? undefined : "firstOutOfRange";
}
