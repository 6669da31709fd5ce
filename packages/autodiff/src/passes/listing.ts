import { describe } from "../ops/declare.ts";
import { constantId, slotOf } from "../tape/entry.ts";
import { pathOf, stepOf } from "../tape/place.ts";
import { Recording } from "../tape/recording.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/**
 * Where an input of an op comes from: the position of an entry, the path of a watched leaf, or
 * `null` for a constant.
 */
export type ListedInput = number | { readonly leaf: string } | null;

/** One application of an op. */
export interface ListedEntry {
  /** How many entries were recorded before it. */
  readonly position: number;
  readonly op: string;
  readonly inputs: readonly ListedInput[];
  /** Of the output. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** The time step, counted from 1, where one is known. */
  readonly t: number | undefined;
  /** Names of the parts of the model around it, from the outside in; `""` where there are none. */
  readonly place: string;
}

/** Throws a sentence unless `tape` is a tape that has not ended. */
function checkOpenTape(tape: unknown, where: string): void {
  if (!(tape instanceof Recording)) {
    throw new TypeError(
      `${where}: tape must be a Tape, got ${describe(tape)}; pass the one that watched the inputs`,
    );
  }
  tape.checkOpen(where);
}

/**
 * What a tape holds, entry by entry, as plain data: to draw it, or to count in it.
 *
 * @throws for what is no tape, and for a tape that has ended
 *
 * @example
 * ```ts
 * import { Tape, tensor, timeStep } from "@chronograd/autodiff";
 * import { entriesOf } from "@chronograd/autodiff/extend";
 *
 * const tape = new Tape();
 * const { w } = tape.watch({ w: tensor([1, 2]) });
 * timeStep(3, () => w.mul(tensor([3, 4])).tanh());
 * entriesOf(tape).map(({ op, inputs, t }) => [op, inputs, t]);
 * // => [["mul", [{ leaf: "w" }, null], 3], ["tanh", [0], 3]]
 * ```
 */
export function entriesOf(tape: Recording): ListedEntry[] {
  checkOpenTape(tape, "entriesOf");
  const origin = (id: number): ListedInput => {
    if (id === constantId) return null;
    return id < 0 ? { leaf: tape.pathOf(slotOf(id)) } : id;
  };
  return [...tape.entries].map(({ declaration, ids, output, place }, i) => ({
    position: tape.base + i,
    op: declaration.name,
    inputs: ids.map(origin),
    shape: output.shape,
    dtype: output.dtype,
    t: stepOf(place),
    place: pathOf(place),
  }));
}

/**
 * Where a tensor comes from, as `entriesOf` says it of inputs: `null` for what the tape does not
 * know.
 *
 * @throws for what is no tape or no tensor, and for a tape that has ended
 *
 * @example
 * ```ts
 * import { Tape, tensor } from "@chronograd/autodiff";
 * import { originOf } from "@chronograd/autodiff/extend";
 *
 * const tape = new Tape();
 * const { w } = tape.watch({ w: tensor([1, 2]) });
 * [originOf(tape, w), originOf(tape, w.tanh()), originOf(tape, tensor(1))];
 * // => [{ leaf: "w" }, 0, null]
 * ```
 */
export function originOf(tape: Recording, x: Tensor): ListedInput {
  checkOpenTape(tape, "originOf");
  if (!(x instanceof Tensor)) {
    throw new TypeError(`originOf: expected a tensor, got ${describe(x)}`);
  }
  const own = tape.own(x);
  if (own === undefined) return null;
  return own.id < 0 ? { leaf: tape.pathOf(slotOf(own.id)) } : own.id;
}
