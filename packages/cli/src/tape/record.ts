import { Tape, type Tensor, timeStep, tree } from "@chronograd/autodiff";
import {
  entriesOf,
  type ListedEntry,
  type ListedInput,
  originOf,
} from "@chronograd/autodiff/extend";
import { rng } from "@chronograd/nn";
import { initialParams, initialState } from "@chronograd/rnn";
import type { PlainCell } from "../modules/loadCell.ts";

/** A name, and where the tape has it from. */
export type Named = readonly [name: string, origin: ListedInput];

/** What a cell recorded over some time steps. */
export interface RecordedSteps {
  /** The entries of each step. */
  readonly steps: readonly (readonly ListedEntry[])[];
  /** What the state is before the first step, and after each: T + 1 lists. */
  readonly states: readonly (readonly Named[])[];
  /** What each step puts out. */
  readonly outputs: readonly (readonly Named[])[];
}

/** Inputs of a step are watched under this name. */
export const inputName = "x";

const inFloat32 = (values: unknown): unknown =>
  tree.map(values, (x: Tensor) => (x.dtype === "float64" ? x.cast("float32") : x));

/** Runs a cell step by step on a tape that watches everything. */
export function recordSteps(
  cell: PlainCell,
  inputs: readonly unknown[],
  batch: number,
): RecordedSteps {
  const tape = new Tape();
  const initial = initialParams(cell, rng(1));
  const params = tape.watch({ params: initial }).params;
  let state: unknown = cell.initial
    ? cell.initial(params, batch)
    : tape.watch({ state: initialState({ state: cell.state }, batch) }).state;
  const listed = (nested: unknown): Named[] =>
    tree.leavesWithPath(nested).map(([path, x]) => [path, originOf(tape, x)] as const);
  const states = [listed(state)];
  const outputs: Named[][] = [];
  for (const [i, input] of inputs.entries()) {
    const x = tape.watch({ [inputName]: inFloat32(input) })[inputName];
    const before = state;
    const [output, next] = timeStep(i + 1, () => cell.step(params, x, before));
    state = next;
    outputs.push(listed(output));
    states.push(listed(state));
  }
  const entries = entriesOf(tape);
  const steps = inputs.map((_, i) => entries.filter(({ t }) => t === i + 1));
  return { steps, states, outputs };
}
