import { tree } from "@chronograd/autodiff";
import { bytesOf } from "@chronograd/autodiff/extend";

/**
 * A sum over all bits of the tensors of a tree, in their order (Fletcher 1982, with 32-bit words).
 */
export function checksumOf(values: unknown): number {
  let [a, b] = [0, 0];
  for (const { size, dtype, pointer, backend } of tree.leaves(values)) {
    const { int32 } = backend.memory.views;
    const start = pointer / 4;
    const end = start + (size * bytesOf[dtype]) / 4;
    for (let i = start; i < end; i++) {
      a = (a + int32[i]!) | 0;
      b = (b + a) | 0;
    }
  }
  return a ^ Math.imul(b, 0x9e3779b1);
}
