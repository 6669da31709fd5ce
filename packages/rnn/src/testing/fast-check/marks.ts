import { type Tensor, tensor } from "@chronograd/autodiff";
import fc, { type Arbitrary } from "fast-check";

/** Which rows a sequence has, and which begin afresh: what `unroll` and a `Sequence` take. */
export interface RandomMarks {
  /** Steps of each row. */
  readonly lengths: readonly number[];
  /** `[T, B]`, int32; 0 where a row has no step, and behind its length. */
  readonly mask: Tensor;
  /** `[T, B]`, int32; 1 where a row begins afresh. */
  readonly resets: Tensor;
}

/** For which sequence. */
export interface MarksOptions {
  /** Its time steps, T. */
  readonly length: number;
  /** Its rows, B. */
  readonly batch: number;
}

/**
 * Random lengths, masks and resets: rows of no step and steps of no row among them. They shrink
 * towards rows without steps and without resets.
 *
 * @example
 * ```ts
 * import { zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import fc from "fast-check";
 * import { gru, initialParams, unroll } from "@chronograd/rnn";
 * import { marks } from "@chronograd/rnn/testing/fast-check";
 *
 * const cell = gru({ input: 1, hidden: 2 });
 * const params = initialParams(cell, rng(1));
 * fc.assert(
 *   fc.property(marks({ length: 4, batch: 2 }), ({ mask, resets }) => {
 *     const { outputs } = unroll(cell, params, zeros([4, 2, 1]), { mask, resets });
 *     return outputs.shape.join() === "4,2,2";
 *   }),
 * );
 * ```
 */
export function marks({ length, batch }: MarksOptions): Arbitrary<RandomMarks> {
  const cells = (value: Arbitrary<number>) =>
    fc.array(value, { minLength: length * batch, maxLength: length * batch });
  const bit = fc.nat(1);
  const lengths = fc.array(fc.nat(length), { minLength: batch, maxLength: batch });
  return fc.tuple(lengths, cells(bit), cells(bit)).map(([ends, present, starts]) => {
    const isIn = present.map((there, i) => (Math.floor(i / batch) < ends[i % batch]! ? there : 0));
    const table = (values: readonly number[]) =>
      tensor(Int32Array.from(values), { shape: [length, batch] });
    const found = { lengths: ends, mask: table(isIn), resets: table(starts) };
    const print = () =>
      `{ lengths: [${ends}], mask: ${JSON.stringify(found.mask.toArray())}, resets: ${JSON.stringify(found.resets.toArray())} }`;
    return Object.defineProperty(found, fc.toStringMethod, { value: print });
  });
}
