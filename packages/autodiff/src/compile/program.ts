import type { Loop } from "./loop.ts";

/** A run of bytes that a program reads or writes. */
export interface Buffer {
  readonly bytes: number;
  /** Its place in the table of the caller's addresses, for inputs and results; -1 for what the program keeps to itself. */
  slot: number;
}

/** One kernel call. Pointer arguments are offsets into a buffer, or, where that is -1, addresses of constants. */
export interface Call {
  /** Which family and kernel: `float32.add`, `move32.copy`. */
  readonly kernel: string;
  readonly signature: string;
  readonly args: readonly number[];
  readonly buffers: readonly number[];
  /** Which run of the program it belongs to: a forward one, then a backward one, say. */
  readonly phase: number;
}

/** A check of int32 indices that has to come out as it did when the program was traced: none out of range. */
export interface RangeCheck {
  readonly slot: number;
  readonly offset: number;
  readonly phase: number;
  readonly args: readonly [n: number, low: number, high: number, except: number];
}

/** A straight-line program of kernel calls. */
export interface Program {
  readonly buffers: readonly Buffer[];
  readonly calls: readonly Call[];
  readonly checks: readonly RangeCheck[];
  /** Products that were taken by the table of their rows. */
  readonly byTable?: number;
  /** Code of its own, that calls of the family `loop` name by their place here. */
  readonly loops?: readonly Loop[];
}

/** Bytes of an element of a kernel's dtype. */
export function elementBytes(kernel: string): number {
  return kernel.startsWith("float64") || kernel.startsWith("move64") ? 8 : 4;
}

/** Buffers that a call reads and writes. */
export function touches({ signature, buffers }: Call): { reads: number[]; writes: number[] } {
  const reads: number[] = [];
  const writes: number[] = [];
  for (let i = 0; i < buffers.length; i++) {
    const [letter, buffer] = [signature[i]!, buffers[i]!];
    if (buffer < 0) continue;
    if (letter === "r" || letter === "u") reads.push(buffer);
    if (letter === "w" || letter === "u") writes.push(buffer);
  }
  return { reads, writes };
}
