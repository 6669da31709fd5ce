import { defaultBackend } from "@chronograd/autodiff";

/** The size of the kernels' memory, and the most that was in use, in MiB. */
export function kernelMemory(): Record<string, number> {
  const { wasm, peakBytes } = defaultBackend().memory;
  const mib = (bytes: number): number => Number((bytes / 2 ** 20).toFixed(2));
  return { kernel_mib: mib(wasm.buffer.byteLength), kernel_peak_mib: mib(peakBytes) };
}
