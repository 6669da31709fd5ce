import type { Tensor, TypedArray } from "@chronograd/autodiff";
import { bytesOf, kernelsOf } from "@chronograd/autodiff/extend";

/**
 * Puts `((a0 + a1) + a2) + ...` into `target`, which is none of the addends, rounded to the dtype
 * each time.
 *
 * @param home a tensor in whose memory kernels may add; where there is none, a loop does
 */
export function orderedSum(
  addends: readonly TypedArray[],
  target: TypedArray,
  home: Tensor | undefined,
): void {
  const [first, ...others] = addends;
  const { length } = target;
  if (home === undefined || home.dtype === "int32") {
    target.set(first!);
    for (const addend of others) {
      for (let i = 0; i < length; i++) target[i]! += addend[i]!;
    }
    return;
  }
  const { backend, dtype } = home;
  const { memory } = backend;
  const bytes = length * bytesOf[dtype];
  const [sums, addend] = [memory.allocate(bytes), memory.allocate(bytes)];
  // The memory may have grown, so its views are taken last.
  const view = (pointer: number) => {
    const start = pointer / bytesOf[dtype];
    return memory.views[dtype].subarray(start, start + length);
  };
  try {
    view(sums).set(first!);
    const { add } = kernelsOf(backend, home);
    for (const each of others) {
      view(addend).set(each);
      add(1, length, sums, length, 1, addend, length, 1, sums);
    }
    target.set(view(sums));
  } finally {
    for (const pointer of [sums, addend]) memory.release(pointer, bytes);
  }
}
