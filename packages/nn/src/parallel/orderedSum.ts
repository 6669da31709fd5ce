import type { Tensor, TypedArray } from "@chronograd/autodiff";
import { bytesOf, kernelsOf } from "@chronograd/autodiff/extend";
import { pairwiseSum } from "@chronograd/autodiff/internal";

/**
 * Puts the pairwise sum of addends of one length into `target`, which is none of them, rounded to
 * the dtype each time.
 *
 * @param home a tensor in whose memory kernels may add; where there is none, a loop does
 */
export function orderedSum(
  addends: readonly TypedArray[],
  target: TypedArray,
  home: Tensor | undefined,
): void {
  if (home === undefined || home.dtype === "int32") {
    const copies = addends.map((addend) => addend.slice());
    const sum = pairwiseSum(copies, (a, b) => {
      for (let i = 0; i < a.length; i++) a[i]! += b[i]!;
      return a;
    });
    target.set(sum);
    return;
  }
  const { backend, dtype } = home;
  const { memory } = backend;
  const { length } = target;
  const bytes = length * bytesOf[dtype];
  // All addends together are no longer than one message.
  const first = memory.allocate(addends.length * bytes);
  try {
    const pointers = addends.map((_, i) => first + i * bytes);
    const view = (pointer: number) => {
      const start = pointer / bytesOf[dtype];
      return memory.views[dtype].subarray(start, start + length);
    };
    for (const [i, addend] of addends.entries()) view(pointers[i]!).set(addend);
    const { add } = kernelsOf(backend, home);
    const sum = pairwiseSum(pointers, (a, b) => {
      add(1, length, a, length, 1, b, length, 1, a);
      return a;
    });
    target.set(view(sum));
  } finally {
    memory.release(first, addends.length * bytes);
  }
}
