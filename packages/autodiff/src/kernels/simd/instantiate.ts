import type { Memory } from "../memory.ts";

/** Every export of the kernel module is a function of numbers. */
export type KernelExports = Readonly<Record<string, (...args: number[]) => number>>;

/** Instantiates a base64-embedded kernel module on `memory`, synchronously. */
export function instantiate(base64: string, memory: Memory): KernelExports {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: {
      memory: memory.wasm,
      abort() {
        throw new Error("kernels: a WebAssembly kernel aborted, which is a bug of this library");
      },
    },
  });
  return instance.exports as unknown as KernelExports;
}
