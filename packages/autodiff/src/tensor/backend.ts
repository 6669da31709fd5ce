import { findBlas } from "#blas";
import { type KernelMaker, type Kernels, missingFrom } from "../kernels/contract.ts";
import { Memory } from "../kernels/memory.ts";
import { type KernelSetName, makers } from "../kernels/sets.ts";
import type { Block } from "./block.ts";
import type { DType } from "./dtype.ts";
import { checkOptions } from "./options.ts";
import type { Tensor } from "./tensor.ts";

export type { KernelSetName };

/** Constants worth keeping: code repeats the same few numbers (`1`, `0.5`, a learning rate). */
const constantsKept = 256;

/**
 * A memory and the kernels that work on it. Every tensor belongs to one backend, and an op's
 * operands must share theirs.
 *
 * @example
 * ```ts
 * import { createBackend, tensor } from "@chronograd/autodiff";
 *
 * const backend = createBackend({ kernels: "simd-plain" });
 * const x = tensor([1, 2, 3], { backend });
 * x.sum().item(); // => 6
 * ```
 */
export class Backend {
  readonly memory: Memory;
  readonly kernels: Kernels;
  /**
   * What threads make the same kernels from; `undefined` for a set that a function made. @internal
   */
  readonly kernelSet: KernelSetName | undefined;
  /** Scalars that ops made from plain numbers, kept for reuse. @internal */
  readonly constants: Readonly<Record<DType, Map<number, Tensor>>> = {
    float32: new Map(),
    float64: new Map(),
    int32: new Map(),
  };

  /** What consumed values have in the place of their bytes, by who consumed them. @internal */
  readonly gone: Map<string, Block> = new Map();

  /**
   * The backend whose values count as this one's constants: where a program is traced, the one that
   * will run it. @internal
   */
  readonly parent: Backend | null;

  /** @internal */
  constructor(
    memory: Memory,
    kernels: Kernels,
    parent: Backend | null = null,
    kernelSet?: KernelSetName,
  ) {
    this.kernelSet = kernelSet;
    this.memory = memory;
    this.kernels = kernels;
    this.parent = parent;
  }

  /** Told of each constant of the parent's that an op takes. @internal */
  adopt(_constant: Tensor): void {}

  /**
   * Whether a float64 scalar is finite. While a function is compiled the answer is yes, and runs of
   * its plan are held to that: where it turns out otherwise, nothing was changed, and the function
   * itself runs. @internal
   */
  isFinite(x: Tensor): boolean {
    return Number.isFinite(x.item());
  }

  /** True while there is room to keep one more constant. @internal */
  hasRoomForConstant(dtype: DType): boolean {
    return this.constants[dtype].size < constantsKept;
  }
}

/**
 * Whether an op must refuse values of two backends: constants of a traced program are on the one
 * that will run it. @internal
 */
export function areApart(a: Backend, b: Backend): boolean {
  return a !== b && a.parent !== b && b.parent !== a;
}

/**
 * A new backend with its own memory. Throws for an unknown kernel set, and for one that lacks a
 * kernel.
 */
export function createBackend(
  options: { readonly kernels?: KernelSetName | KernelMaker } = {},
): Backend {
  checkOptions("createBackend", options, ["kernels"]);
  const { kernels = "native" } = options;
  const make = typeof kernels === "function" ? kernels : makers[kernels];
  if (make === undefined) {
    throw new TypeError(
      `createBackend: kernels must be one of ${Object.keys(makers).join(", ")}, or a function that makes a set, got ${JSON.stringify(kernels)}`,
    );
  }
  const memory = new Memory();
  const set = make(memory);
  const missing = missingFrom(set);
  if (missing !== undefined) {
    throw new TypeError(
      `createBackend: kernels must return a set with every kernel, and ${missing} is missing; take what a set of your own lacks from simdKernels(memory) of @chronograd/autodiff/extend`,
    );
  }
  if (!writesTo(memory, set)) {
    throw new TypeError(
      "createBackend: kernels must return a set over the memory that it is given, and this one writes elsewhere; make the set anew from the argument, as in (memory) => simdKernels(memory)",
    );
  }
  return new Backend(memory, set, null, typeof kernels === "string" ? kernels : undefined);
}

/** Whether a set fills the memory that it was made for: one over another memory would lose all. */
function writesTo(memory: Memory, { float64 }: Kernels): boolean {
  const pointer = memory.allocate(8);
  float64.fill(1, Math.E, pointer);
  const found = memory.views.float64[pointer / 8];
  memory.release(pointer, 8);
  return found === Math.E;
}

/**
 * The native BLAS that the kernel sets `native` and `blas` use, or why there is none.
 *
 * @example
 * ```ts
 * import { nativeBlas } from "@chronograd/autodiff";
 *
 * const { found, what } = nativeBlas();
 * typeof found; // => "boolean"
 * what.length > 0; // => true
 * ```
 */
export function nativeBlas(): { readonly found: boolean; readonly what: string } {
  const library = findBlas();
  return typeof library === "string"
    ? { found: false, what: library }
    : { found: true, what: library.name };
}

let shared: Backend | undefined;

/** The backend used where none is named and no operand says one; made on first use. */
export function defaultBackend(): Backend {
  shared ??= createBackend();
  return shared;
}
