import type { Memory } from "../memory.ts";

/** Every export of the kernel module is a function of numbers. */
export type KernelExports = Readonly<Record<string, (...args: number[]) => number>>;

/** Instantiates a kernel module on `memory`, synchronously. */
export function instantiate(module: Uint8Array<ArrayBuffer>, memory: Memory): KernelExports {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module), {
    env: {
      memory: memory.wasm as WebAssembly.Memory,
      abort() {
        throw new Error("kernels: a WebAssembly kernel aborted, which is a bug of this library");
      },
    },
  });
  return instance.exports as unknown as KernelExports;
}
