import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import type { OpDeclaration } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import { moveWindow, type Window } from "./window.ts";

/** A window on images `[N, C, ...]`, and the columns `[N, C KH KW, positions]` of its pixels. */
export interface Unfolding {
  readonly window: Window;
  readonly images: Shape;
  readonly columns: Shape;
}

/** All positions of a window. */
const wholeOf = ({ positions: [rows, cols] }: Window) => ({ row: 0, col: 0, rows, cols });

/** The columns of images. @internal */
export const unfoldDeclaration: OpDeclaration<Unfolding> = {
  name: "unfold",
  inputs: ["x"],
  shape: (_inputs, { columns }) => columns,
  forward(backend, [x], y, { window, images: [n, c] }) {
    // The columns of an image follow those of the one before, as its channels do.
    const all = n! * c!;
    moveWindow(backend, "unfold", y, window, all, wholeOf(window), x!.pointer, y.pointer);
  },
  residuals: { inputs: [], output: false },
  vjp: [(g, { attributes }) => apply(foldDeclaration, [g], attributes)],
  jvp: "linear",
  samples: [
    {
      label: "[2,2,3,4]",
      inputs: [{ shape: [2, 2, 3, 4] }],
      call: ([x]) => x!.unfold([2, 3]),
    },
    {
      label: "strided, padded, dilated",
      inputs: [{ shape: [1, 1, 5, 4] }],
      call: ([x]) => x!.unfold(2, { stride: [2, 1], padding: 1, dilation: [1, 2] }),
    },
  ],
};

/** Its transpose. @internal */
export const foldDeclaration: OpDeclaration<Unfolding> = {
  name: "fold",
  inputs: ["columns"],
  shape: (_inputs, { images }) => images,
  forward(backend, [columns], y, { window, images: [n, c] }) {
    kernelsOf(backend, y).fill(y.size, 0, y.pointer);
    const all = n! * c!;
    moveWindow(backend, "fold", y, window, all, wholeOf(window), columns!.pointer, y.pointer);
  },
  residuals: { inputs: [], output: false },
  vjp: [(g, { attributes }) => apply(unfoldDeclaration, [g], attributes)],
  jvp: "linear",
  samples: [
    {
      label: "[2,4,6] to [3,4]",
      inputs: [{ shape: [2, 4, 6] }],
      call: ([x]) => x!.fold([3, 4], 2),
    },
    {
      label: "strided, padded",
      inputs: [{ shape: [1, 4, 9] }],
      call: ([x]) => x!.fold([5, 4], 2, { stride: 2, padding: 1 }),
    },
  ],
};

/** The columns of a window on images `[N, C, ...]`. @internal */
export function unfoldBy(x: Tensor, window: Window): Tensor {
  const [n, c] = x.shape as [number, number];
  const columns = [n, c * sizeOf(window.kernel), sizeOf(window.positions)];
  return apply(unfoldDeclaration, [x], { window, images: x.shape, columns } satisfies Unfolding);
}
