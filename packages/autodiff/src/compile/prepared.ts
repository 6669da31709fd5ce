import type { Block } from "../tensor/block.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { sameShape } from "../tensor/shape.ts";
import { alias, giveOwner, Tensor } from "../tensor/tensor.ts";
import type { Residuals } from "./residuals.ts";

/** A run whose addresses stand in a frame. */
export interface Prepared {
  readonly phase: number;
  readonly inputs: readonly Tensor[];
  readonly residuals: Residuals;
  /** What it makes, by slot. */
  readonly fresh: ReadonlyMap<number, Block>;
  /** Drops the hold on what it made. */
  end(): void;
}

/** Whether nobody but the caller has the bytes of an input, and they are one input's. */
export function isSole(inputs: readonly Tensor[], input: number): boolean {
  const { block } = inputs[input]!;
  if (block.holders !== 1) return false;
  for (let i = 0; i < inputs.length; i++) {
    if (i !== input && inputs[i]!.block === block) return false;
  }
  return true;
}

/**
 * One tensor of a result: in its own block, or an input, or part of one.
 *
 * @param taken inputs that were written in place, each of which becomes one tensor of the result
 */
export function outputOf(
  { shape, size, dtype, byteOffset }: Tensor,
  block: Block | undefined,
  input: Tensor | undefined,
  taken: Set<Tensor>,
): Tensor {
  if (block !== undefined) {
    return giveOwner(new Tensor(block, byteOffset, shape, size, dtype, null, 0, null));
  }
  const isNew = taken.has(input!) && byteOffset === 0 && sameShape(input!.shape, shape);
  if (isNew && taken.delete(input!)) return input!;
  return giveOwner(alias(input!, shape, byteOffset / bytesOf[dtype]));
}
