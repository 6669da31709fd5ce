import { bytesOf } from "../tensor/dtype.ts";
import { type Shape, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { type Op, type OpDeclaration, op } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import { copyStrided } from "./strided.ts";

/**
 * An array section: where it starts in a larger shape, how it steps, and how long it is along each
 * axis.
 */
export interface Section {
  readonly whole: Shape;
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly lengths: Shape;
}

/** Element offset of the section's first element, and its strides, on row-major `whole`. */
export function layoutOf({ whole, starts, steps }: Section): { first: number; strides: number[] } {
  const strides = stridesOf(whole);
  let first = 0;
  starts.forEach((start, axis) => {
    first += start * strides[axis]!;
  });
  return { first, strides: strides.map((stride, axis) => stride * steps[axis]!) };
}

/** True when the section's elements stand side by side in `whole`. */
export function isContiguous({ whole, steps, lengths }: Section): boolean {
  let axis = 0;
  while (axis < whole.length && lengths[axis] === 1) axis++;
  if (axis < whole.length && steps[axis] !== 1) return false;
  for (axis++; axis < whole.length; axis++) {
    if (lengths[axis] !== whole[axis] || (steps[axis] !== 1 && whole[axis] !== 1)) return false;
  }
  return true;
}

/** The section as `slice` takes it; an end before the first element is left open. */
function rangesOf({ starts, steps, lengths }: Section) {
  return starts.map((start, axis) => {
    const [step, length] = [steps[axis]!, lengths[axis]!];
    const end = start + step * length;
    return length === 0 ? ([0, 0] as const) : ([start, end < 0 ? null : end, step] as const);
  });
}

const unsliceDeclaration: OpDeclaration<Section> = {
  name: "unslice",
  inputs: ["g"],
  shape: (_inputs, { whole }) => whole,
  forward(backend, [g], y, section) {
    kernelsOf(backend, y).fill(y.size, 0, y.pointer);
    if (g!.size === 0) return;
    const { first, strides } = layoutOf(section);
    const to = y.pointer + first * bytesOf[y.dtype];
    copyStrided(backend, y.dtype, g!.shape, g!.pointer, stridesOf(g!.shape), to, strides);
  },
  residuals: { inputs: [], output: false },
  vjp: [(g, { attributes: section }) => g.slice(rangesOf(section))],
  jvp: "linear",
  samples: [
    {
      label: "into [2,4]",
      inputs: [{ shape: [2, 2] }],
      call: ([g]) =>
        unslice(g!, { whole: [2, 4], starts: [0, 3], steps: [1, -2], lengths: [2, 2] }),
    },
  ],
};

/** The adjoint of `slice`: zeros of the whole shape with `g` at the section's places. @internal */
export const unslice: Op<(g: Tensor, section: Section) => Tensor> = op(
  unsliceDeclaration,
  (g: Tensor, section: Section) => apply(unsliceDeclaration, [g], section),
  1,
);
