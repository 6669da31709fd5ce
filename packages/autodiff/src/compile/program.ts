import type { Tensor } from "../tensor/tensor.ts";
import type { Call } from "./call.ts";
import type { Loop } from "./loop.ts";

/** Bytes that a program reads or writes. */
export interface Buffer {
  readonly bytes: number;
  /**
   * Its slot in the table of the caller's addresses, for inputs and results; -1 for what the
   * program keeps to itself.
   */
  slot: number;
}

/**
 * A check of int32 indices that has to come out as it did when the program was traced: none out of
 * range.
 */
export interface RangeCheck {
  readonly slot: number;
  readonly offset: number;
  readonly phase: number;
  readonly args: readonly [n: number, low: number, high: number, except: number];
}

/** A straight-line program of kernel calls. */
export interface Program {
  readonly buffers: readonly Buffer[];
  readonly calls: readonly Call[];
  readonly checks: readonly RangeCheck[];
  /** Products that were taken by the table of their rows. */
  readonly byTable?: number;
  /** Generated code that calls of the family `loop` name by their index here. */
  readonly loops?: readonly Loop[];
}

/**
 * Whether the indices that a run looks up are all in range.
 *
 * @param firstInput the slot of the run's first input
 */
export function areInRange(
  checks: readonly RangeCheck[],
  inputs: readonly Tensor[],
  phase: number,
  firstInput: number,
): boolean {
  return checks.every((check) => {
    const input = inputs[check.slot - firstInput];
    if (check.phase !== phase || input === undefined) return true;
    const [n, low, high, except] = check.args;
    const at = input.pointer + check.offset;
    return input.backend.kernels.firstOutOfRange(n, at, low, high, except) < 0;
  });
}
