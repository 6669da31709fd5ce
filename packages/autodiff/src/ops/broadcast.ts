import type { FloatKernels } from "../kernels/contract.ts";
import type { BinaryKernel, BinaryName } from "../kernels/elementwise.ts";
import { int32BinaryNames } from "../kernels/int32.ts";
import type { Backend } from "../tensor/backend.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { broadcastShapes, type Shape, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { InputSpec, OpDeclaration, Sample } from "./declare.ts";
import { arithmeticOf } from "./kernels.ts";
import { broadcastStrides, planes } from "./strided.ts";

/** Applies a two-operand kernel under NumPy broadcasting. */
export function broadcastBinary(kernel: BinaryKernel, a: Tensor, b: Tensor, y: Tensor): void {
  const n = y.size;
  if (a.size === n && b.size === n) {
    kernel(1, n, a.pointer, n, 1, b.pointer, n, 1, y.pointer);
  } else if (a.size === n && trails(b.shape, y.shape)) {
    kernel(n / b.size, b.size, a.pointer, b.size, 1, b.pointer, 0, 1, y.pointer);
  } else if (b.size === n && trails(a.shape, y.shape)) {
    kernel(n / a.size, a.size, a.pointer, 0, 1, b.pointer, a.size, 1, y.pointer);
  } else if (n > 0) {
    const bytes = bytesOf[y.dtype];
    const walk = planes(y.shape, [
      broadcastStrides(a.shape, y.shape),
      broadcastStrides(b.shape, y.shape),
    ]);
    const { rows, cols, row, col } = walk;
    const [aOffsets, bOffsets] = walk.offsets as [number[], number[]];
    for (let i = 0; i < aOffsets.length; i++) {
      kernel(
        rows,
        cols,
        a.pointer + aOffsets[i]! * bytes,
        row[0]!,
        col[0]!,
        b.pointer + bOffsets[i]! * bytes,
        row[1]!,
        col[1]!,
        y.pointer + i * rows * cols * bytes,
      );
    }
  }
}

/** True when `shape`, without leading ones, is the end of `whole`: a bias under a batch. */
function trails(shape: Shape, whole: Shape): boolean {
  let lead = 0;
  while (lead < shape.length && shape[lead] === 1) lead++;
  const length = shape.length - lead;
  for (let i = 1; i <= length; i++) {
    const m = shape[shape.length - i]!;
    if (m === 0 || m !== whole[whole.length - i]) return false;
  }
  return true;
}

/** What every broadcasting op of two operands shares. */
export function broadcasting(
  name: BinaryName,
  call: (inputs: readonly Tensor[]) => Tensor,
  domains: readonly (InputSpec["domain"] | undefined)[] = [],
): Pick<
  OpDeclaration,
  "name" | "inputs" | "shape" | "forward" | "samples" | "broadcasts" | "accepts"
> {
  const hasInt32 = (int32BinaryNames as readonly string[]).includes(name);
  return {
    name,
    accepts: hasInt32 ? "any" : "float",
    inputs: ["a", "b"],
    broadcasts: "all",
    shape: ([a, b]) =>
      sameShape(a!.shape, b!.shape) ? a!.shape : broadcastShapes(a!.shape, b!.shape, name),
    forward(backend: Backend, [a, b], y) {
      broadcastBinary((arithmeticOf(backend, y) as FloatKernels)[name], a!, b!, y);
    },
    samples: broadcastPairs.map(
      ([a, b]): Sample => ({
        label: `[${a}] and [${b}]`,
        inputs: [
          { shape: a, ...(domains[0] && { domain: domains[0] }) },
          { shape: b, ...(domains[1] && { domain: domains[1] }) },
        ],
        call,
      }),
    ),
  };
}

/** Pairs of shapes that cover every way in which operands broadcast. */
const broadcastPairs: readonly (readonly [Shape, Shape])[] = [
  [[3], [3]],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [[2, 3], []],
  [[], [2, 3]],
  [
    [2, 1],
    [1, 3],
  ],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [
    [2, 3, 1, 2],
    [1, 3, 2, 1],
  ],
  [
    [0, 3],
    [1, 3],
  ],
];
