import { type Memory, maximumPages } from "../memory.ts";
import { withSharedMemory } from "../sharedImport.ts";

/** Every export of the kernel module is a function of numbers. */
export type KernelExports = Readonly<Record<string, (...args: number[]) => number>>;

/** Instantiates a kernel module on `memory`, synchronously. */
export function instantiate(module: Uint8Array<ArrayBuffer>, memory: Memory): KernelExports {
  return instanceOn(module, memory, {
    abort() {
      throw new Error("kernels: a WebAssembly kernel aborted, which is a bug of this library");
    },
  }) as unknown as KernelExports;
}

/** The exports of a module that imports `env.memory`, and what else `env` has. */
export function instanceOn(
  module: Uint8Array<ArrayBuffer>,
  memory: Memory,
  env: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { wasm, isShared } = memory;
  const code = isShared ? withSharedMemory(module, maximumPages) : module;
  return new WebAssembly.Instance(new WebAssembly.Module(code), {
    env: { ...env, memory: wasm } as unknown as Record<string, WebAssembly.ImportValue>,
  }).exports;
}
