import { type Tensor, tensor } from "@chronograd/autodiff";
import type { Sequence } from "@chronograd/rnn";
import type { Item, Step } from "./task.ts";

/** Whether an item has many time steps. */
export const isSequence = (item: Item): item is Sequence => "inputs" in item;

/**
 * The time steps of an item from the one after `before` on. Those of a sequence begin with a reset
 * of all rows.
 */
export function* stepsOf(item: Item, before = 0): Generator<Step> {
  if (!isSequence(item)) {
    if (before === 0) yield item;
    return;
  }
  // A stream owns what is made while it is read, and releases it k2 steps later: so the values are
  // read out at once, and each step has tensors of its own.
  const { inputs, targets, lengths, mask, resets } = item;
  const [steps, rows] = inputs.shape as [number, number];
  const at = { input: timeSlices(inputs), target: timeSlices(targets) };
  const marks = { mask: mask && timeSlices(mask), reset: resets && timeSlices(resets) };
  const ends = lengths && listOf(lengths);
  for (let t = before; t < steps; t++) {
    const isThere = (row: number) => (t < ends![row]! ? 1 : 0);
    const maskOfStep = marks.mask?.(t) ?? (ends && ofRows(rows, isThere));
    const reset = t === 0 ? ofRows(rows, () => 1) : marks.reset?.(t);
    yield {
      input: at.input(t),
      target: at.target(t),
      ...(maskOfStep && { mask: maskOfStep }),
      ...(reset && { reset }),
    };
  }
}

const ofRows = (rows: number, value: (row: number) => number) =>
  tensor(Int32Array.from({ length: rows }, (_, row) => value(row)));

const listOf = (lengths: ArrayLike<number> | Tensor): ArrayLike<number> =>
  "toTypedArray" in lengths ? lengths.toTypedArray() : lengths;

/** The values of each time step as a tensor. */
function timeSlices(x: Tensor): (t: number) => Tensor {
  const values = x.toTypedArray().slice();
  const shape = x.shape.slice(1);
  const size = values.length / x.shape[0]!;
  return (t) => tensor(values.slice(t * size, (t + 1) * size), { shape });
}
