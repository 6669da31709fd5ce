import { latest } from "../tensor/successors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { leavesWithPath } from "../tensor/tree.ts";
import { bufferAt, type TraceBackend } from "./trace.ts";

/** One tensor of a result: part of something in the caller's table, or a constant. */
export interface Output {
  /** -1 for a constant. */
  readonly slot: number;
  readonly like: Tensor;
}

/** One run of a program: which slots of the table its inputs are, what it returns. */
export interface Phase {
  readonly firstInput: number;
  readonly result: unknown;
  readonly outputs: readonly Output[];
  /** What is made for the result: slot of the table, bytes. */
  readonly made: readonly (readonly [slot: number, bytes: number])[];
  /** Inputs that the function consumed, by whom, and which output is the successor, or -1. */
  readonly consumed: readonly (readonly [input: number, output: number, by: string])[];
}

/** What was traced as one run. */
export interface TracedPhase {
  readonly firstInput: number;
  /** What stood for the inputs, where the function may consume them. */
  readonly inputs?: readonly Tensor[];
  readonly result: unknown;
}

/** A traced run, with slots in the table for what it returns. */
export function phaseOf(
  { firstInput, result, inputs = [] }: TracedPhase,
  trace: TraceBackend,
): Phase {
  const made: [number, number][] = [];
  const found = leavesWithPath(result).map(([, y]) => y);
  const outputs = found.map((y): Output => {
    const at = bufferAt(y.block.pointer);
    if (at < 0) {
      trace.adopt(y);
      return { slot: -1, like: y };
    }
    const buffer = trace.buffers[at]!;
    if (buffer.slot < 0) {
      buffer.slot = trace.slots++;
      made.push([buffer.slot, buffer.bytes]);
    }
    return { slot: buffer.slot, like: y };
  });
  const consumed = inputs.flatMap((x, i): [number, number, string][] =>
    x.block.consumed === undefined ? [] : [[i, found.indexOf(latest(x)), x.block.consumed]],
  );
  return { firstInput, result, outputs, made, consumed };
}
