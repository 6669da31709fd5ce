import type { MoveKernels } from "../kernels/move.ts";
import type { Backend } from "../tensor/backend.ts";
import { bytesOf, type DType } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";

/**
 * A walk over several operands that share a shape: planes of `rows` x `cols`, and how each operand
 * steps.
 */
interface Walk {
  readonly rows: number;
  readonly cols: number;
  /** Per operand, the strides of a plane. */
  readonly row: readonly number[];
  readonly col: readonly number[];
  /** Per operand, the element offset of every plane. */
  readonly offsets: readonly (readonly number[])[];
}

/**
 * Splits a walk over `shape` with one stride list per operand into planes that kernels take whole.
 * Axes of length 1 vanish, and neighbours that every operand crosses without a jump become one.
 */
export function planes(shape: Shape, strides: readonly (readonly number[])[]): Walk {
  const lengths: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis]!;
    if (length === 1) continue;
    const last = lengths.length - 1;
    const joins =
      last >= 0 && strides.every((stride, i) => steps[i]![last] === stride[axis]! * length);
    if (joins) {
      lengths[last]! *= length;
      strides.forEach((stride, i) => {
        steps[i]![last] = stride[axis]!;
      });
    } else {
      lengths.push(length);
      strides.forEach((stride, i) => {
        steps[i]!.push(stride[axis]!);
      });
    }
  }
  const rank = lengths.length;
  const cols = rank > 0 ? lengths[rank - 1]! : 1;
  const rows = rank > 1 ? lengths[rank - 2]! : 1;
  const offsets = steps.map((step) => {
    let list = [0];
    for (let axis = 0; axis < rank - 2; axis++) {
      const next: number[] = [];
      for (const base of list) {
        for (let i = 0; i < lengths[axis]!; i++) next.push(base + i * step[axis]!);
      }
      list = next;
    }
    return list;
  });
  return {
    rows,
    cols,
    row: steps.map((step) => (rank > 1 ? step[rank - 2]! : 0)),
    col: steps.map((step) => (rank > 0 ? step[rank - 1]! : 1)),
    offsets,
  };
}

/**
 * Strides that read an operand of shape `from` as if it had shape `to`: 0 along the axes that are
 * broadcast.
 */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = new Array<number>(to.length).fill(0);
  let stride = 1;
  for (let axis = 1; axis <= from.length; axis++) {
    const length = from[from.length - axis]!;
    if (length !== 1) strides[to.length - axis] = stride;
    stride *= length;
  }
  return strides;
}

/** The kernels that move a dtype's elements. */
export function moveKernels(backend: Backend, dtype: DType): MoveKernels {
  return dtype === "float64" ? backend.kernels.move64 : backend.kernels.move32;
}

/**
 * Copies `shape` elements from address `x` to address `y`, each with its own strides in elements.
 */
export function copyStrided(
  backend: Backend,
  dtype: DType,
  shape: Shape,
  x: number,
  xStrides: readonly number[],
  y: number,
  yStrides: readonly number[],
): void {
  const { copy } = moveKernels(backend, dtype);
  const bytes = bytesOf[dtype];
  const { rows, cols, row, col, offsets } = planes(shape, [xStrides, yStrides]);
  const [from, to] = offsets as [number[], number[]];
  if (shape.includes(0)) return;
  for (let i = 0; i < from.length; i++) {
    copy(rows, cols, x + from[i]! * bytes, row[0]!, col[0]!, y + to[i]! * bytes, row[1]!, col[1]!);
  }
}
