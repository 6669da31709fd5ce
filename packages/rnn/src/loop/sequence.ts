import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { alias } from "@chronograd/autodiff/internal";
import type { Cell } from "../cell.ts";
import { initialState, type ValueOptions } from "../initial.ts";
import type { Unrolling } from "../sequences/unrollSteps.ts";
import type { ChunkInputs } from "./chunk.ts";

/** What the chunks of a sequence are computed from, as a whole. */
export function inputsOfSequence<Params, State>(
  cell: Pick<Cell<Params, State>, "state" | "initial">,
  xs: unknown,
  { params, warm, context, marks, state, start }: Unrolling<Params, State>,
  batch: number,
  like: ValueOptions,
): ChunkInputs<Params, State> {
  const { mask, resets } = marks;
  return {
    params,
    state: state ?? start(warm),
    xs: filledRows(xs, mask),
    context,
    ...(resets && { reset: resets }),
    ...(resets && !cell.initial && { fresh: initialState(cell, batch, like) }),
    ...(mask && { mask, first: firstRows(mask) }),
  };
}

/** The same values, each a tensor of its own: in the next chunk they may differ. */
export function apart<T>(inputs: T): T {
  return tree.map(inputs, (x: Tensor) => alias(x, x.shape)) as T;
}

export function stepsOf(xs: unknown): number {
  return tree.leaves(xs)[0]!.shape[0]!;
}

export function stepOf(xs: unknown, t: number): unknown {
  return tree.map(xs, (x: Tensor) => x.slice([t]));
}

/** What belongs to steps `from` to `to - 1`. */
export function section<Params, State>(
  { xs, reset, mask, first }: ChunkInputs<Params, State>,
  from: number,
  to: number,
): Partial<ChunkInputs<Params, State>> {
  const part = (x: Tensor) => x.slice([[from, to]]);
  return {
    xs: tree.map(xs, part),
    ...(reset && { reset: part(reset) }),
    ...(mask && first && { mask: part(mask), first: part(first) }),
  };
}

/** Of each step, 1 at the first row that has it. */
function firstRows(mask: Tensor): Tensor {
  const { shape, backend } = mask;
  const [, rows] = shape as [number, number];
  const values = Int32Array.from(mask.toTypedArray());
  for (let row = 0, isFound = false; row < values.length; row++) {
    if (row % rows === 0) isFound = false;
    if (isFound) values[row] = 0;
    isFound ||= values[row] === 1;
  }
  return tensor(values, { shape, backend });
}

/**
 * Inputs `[T, B, ...]` whose places without a step are taken by the first row that has one. Here,
 * and not in a plan: that can check indices only where they come from outside.
 */
function filledRows(xs: unknown, mask: Tensor | undefined): unknown {
  if (mask === undefined) return xs;
  const [steps, rows] = mask.shape as [number, number];
  const present = mask.toTypedArray();
  const from = Int32Array.from(present, (_, i) => i);
  for (let start = 0; start < steps * rows; start += rows) {
    const first = present.subarray(start, start + rows).indexOf(1);
    if (first < 0) continue;
    for (let i = start; i < start + rows; i++) if (present[i] === 0) from[i] = start + first;
  }
  const indices = tensor(from, { backend: mask.backend });
  return tree.map(xs, (x: Tensor) => {
    if (x.shape[1] !== rows) return x;
    return x
      .reshape([-1, ...x.shape.slice(2)])
      .gather(indices)
      .reshape(x.shape);
  });
}
