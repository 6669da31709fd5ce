import { expect } from "vitest";
import { findBlas } from "#blas";
import { blasKernels } from "../../src/kernels/blas/index.ts";
import type { Kernels } from "../../src/kernels/contract.ts";
import { Memory } from "../../src/kernels/memory.ts";
import { referenceKernels } from "../../src/kernels/reference/index.ts";
import { simdKernels } from "../../src/kernels/simd/index.ts";

export type Dtype = "float32" | "float64" | "int32";

/** Unit roundoff. */
export const roundoff = { float32: 2 ** -24, float64: 2 ** -53 } as const;

/** Bytes on both sides of each buffer that nothing may write. */
const margin = 64;
const canary = 0xa5;

/**
 * Buffers in one memory with canaries around them. Element offsets from a vector's boundary change
 * from call to call: in 16 rounds between `clear`s, any two operands of a kernel meet in all
 * combinations of alignments.
 */
export class Arena {
  readonly memory: Memory = new Memory();
  readonly kernels: Kernels;
  #buffers: { pointer: number; bytes: number; block: number; total: number }[] = [];
  #round = 0;

  constructor(make: (memory: Memory) => Kernels) {
    this.kernels = make(this.memory);
  }

  /** A buffer of `values`. */
  put(dtype: Dtype, values: ArrayLike<number>): number {
    const size = dtype === "float64" ? 8 : 4;
    const bytes = values.length * size;
    const total = bytes + 2 * margin + 4 * size;
    const block = this.memory.allocate(total);
    const offset = (this.#round + this.#buffers.length * (this.#round >> 2)) % 4;
    const pointer = block + margin + offset * size;
    this.memory.views.uint8.fill(canary, block, block + total);
    this.memory.views[dtype].set(values, pointer / size);
    this.#buffers.push({ pointer, bytes, block, total });
    return pointer;
  }

  /** `length` elements of a buffer. */
  get(dtype: Dtype, pointer: number, length: number): number[] {
    const start = pointer / (dtype === "float64" ? 8 : 4);
    return Array.from(this.memory.views[dtype].subarray(start, start + length));
  }

  /** Checks the canaries of all buffers and returns their memory. */
  clear(): void {
    const { uint8 } = this.memory.views;
    for (const { pointer, bytes, block, total } of this.#buffers) {
      const before = uint8.subarray(block, pointer);
      const after = uint8.subarray(pointer + bytes, block + total);
      expect(before.every((byte) => byte === canary)).toBe(true);
      expect(after.every((byte) => byte === canary)).toBe(true);
      this.memory.release(block, total);
    }
    this.#buffers = [];
    this.#round++;
  }
}

const blas = findBlas();

/**
 * The kernel sets under test, each in an arena of its own; with a native BLAS, one where all
 * products are its.
 */
export const arenas: readonly (readonly [string, Arena])[] = [
  ...(typeof blas === "string"
    ? []
    : [new Arena((memory) => blasKernels(simdKernels(memory), memory, blas, 0))]),
  new Arena(referenceKernels),
  new Arena((memory) => simdKernels(memory, "plain")),
  new Arena((memory) => simdKernels(memory, "relaxed")),
].map((arena) => [arena.kernels.name, arena]);

/** Every kernel set with every floating dtype. */
export const floatArenas: readonly (readonly [string, "float32" | "float64", Arena])[] =
  arenas.flatMap(([name, arena]) => [
    [name, "float32", arena] as const,
    [name, "float64", arena] as const,
  ]);

/**
 * `count` values from -1 to 1 that look irregular: fractional parts of multiples of the golden
 * ratio.
 */
export function spread(count: number, seed = 0): number[] {
  return Array.from({ length: count }, (_, i) => {
    const value = (i + 1 + seed * 1000.5) * 0.6180339887498949;
    return Math.fround(2 * (value - Math.floor(value)) - 1);
  });
}

/** `count` small integers from -8 to 8 in an irregular order: sums of their products are exact. */
export function integers(count: number, seed = 0): number[] {
  return spread(count, seed).map((value) => Math.round(8 * value));
}
