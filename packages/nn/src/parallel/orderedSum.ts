import type { Tensor, TypedArray } from "@chronograd/autodiff";
import { bytesOf, kernelsOf } from "@chronograd/autodiff/extend";

/**
 * Puts `((a0 + a1) + a2) + ...` into `target`, rounded to the dtype each time; `target` may be one of the addends.
 *
 * @param home a tensor in whose memory kernels may add; where there is none, a loop does
 */
export function orderedSum(
  addends: readonly TypedArray[],
  target: TypedArray,
  home: Tensor | undefined,
): void {
  if (home === undefined || home.dtype === "int32") addByLoop(addends, target);
  else addByKernel(addends, target, home);
}

function addByLoop(addends: readonly TypedArray[], target: TypedArray): void {
  const [first, ...others] = addends;
  const sums = first!.slice();
  for (const addend of others) {
    for (let i = 0; i < sums.length; i++) sums[i]! += addend[i]!;
  }
  target.set(sums);
}

function addByKernel(addends: readonly TypedArray[], target: TypedArray, home: Tensor): void {
  const { backend, dtype } = home;
  const { memory } = backend;
  const length = target.length;
  const bytes = length * bytesOf[dtype];
  const pointers = [memory.allocate(bytes), memory.allocate(bytes)] as const;
  const [sums, addend] = pointers;
  // The memory may have grown, so its views are taken last.
  const view = (pointer: number) =>
    memory.views[dtype].subarray(pointer / bytesOf[dtype], pointer / bytesOf[dtype] + length);
  try {
    view(sums).set(addends[0]!);
    const { add } = kernelsOf(backend, home);
    for (const each of addends.slice(1)) {
      view(addend).set(each);
      add(1, length, sums, length, 1, addend, length, 1, sums);
    }
    target.set(view(sums));
  } finally {
    for (const pointer of pointers) memory.release(pointer, bytes);
  }
}
