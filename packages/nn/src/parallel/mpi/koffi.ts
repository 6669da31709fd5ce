/// <reference types="node" />
import { createRequire } from "node:module";

/** The part of koffi that is used. */
export interface Koffi {
  load(path: string | null, options?: { readonly global: boolean }): Loaded;
  address(value: unknown): bigint;
}

/** A shared library. */
export interface Loaded {
  func(declaration: string): (...args: readonly (number | bigint)[]) => unknown;
  symbol(name: string): unknown;
}

/** Koffi; undefined where it is not installed. */
export function findKoffi(): Koffi | undefined {
  try {
    return createRequire(import.meta.url)("koffi") as Koffi;
  } catch {
    return undefined;
  }
}

/** Memory for what C functions read and write: outside of the heap, so its address stays. */
export class NativeMemory {
  readonly buffer: ArrayBuffer;
  readonly address: number;

  constructor(koffi: Koffi, bytes: number) {
    // V8 may keep arrays of up to 64 bytes in its heap, and move them.
    this.buffer = new ArrayBuffer(Math.max(bytes, 128));
    this.address = Number(koffi.address(new Uint8Array(this.buffer)));
  }
}

/** Gives the core to another thread that could run, if there is one (POSIX `sched_yield`). */
export function yieldCore(koffi: Koffi): () => void {
  const call = koffi.load(null).func("int sched_yield()");
  return () => void call();
}
