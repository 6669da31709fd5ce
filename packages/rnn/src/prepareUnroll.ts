import { stack, tree } from "@chronograd/autodiff";
import {
  checkedSharding,
  checkOptions,
  describeTensor,
  shardingNames,
} from "@chronograd/autodiff/internal";
import type { Cell, Values } from "./cell.ts";
import { textOf } from "./checkDefinition.ts";
import { batchOf } from "./checkRows.ts";
import { checkState } from "./checkState.ts";
import { checkMemory } from "./loop/options.ts";
import { stepOf, stepsOf } from "./loop/sequence.ts";
import type { LoopOptions } from "./loop/setup.ts";
import { joinTrees } from "./sequences/joinTrees.ts";
import { checkedMarks } from "./sequences/marks.ts";
import { detached, type Unrolling } from "./sequences/unrollSteps.ts";
import { startOf } from "./startOf.ts";
import type { UnrollInputs, UnrollOptions } from "./unroll.ts";

const known = [
  ..."state reverse parallel compile memory burnIn context rng lengths mask resets".split(" "),
  ...shardingNames,
];

/** Throws a sentence for options that are not those of `unroll`. */
export function checkUnroll<State>(
  model: { readonly state: State },
  options: UnrollOptions<State>,
): void {
  checkOptions("unroll", options, known);
  const { state } = options;
  if (state !== undefined) checkState("unroll: the state", state, model.state);
  checkMemory(options.memory);
  for (const name of ["reverse", "parallel", "compile"] as const) {
    const value: unknown = options[name] === undefined ? false : options[name];
    if (typeof value !== "boolean") {
      throw new TypeError(`unroll: ${name} must be true or false, got ${textOf(value)}`);
    }
  }
  if (options.shards !== undefined && options.compile !== true) {
    throw new TypeError(
      "unroll: shards fix the order of sums of compiled loops, so they need compile: true; leave shards out, or add it",
    );
  }
  if (options.parallel === true && (options.compile === true || options.memory !== undefined)) {
    throw new TypeError(
      "unroll: parallel runs all steps at once, and compile and memory run them one after the other; leave out parallel, or both of these",
    );
  }
}

/** What a cell is run with, checked. */
interface PreparedUnroll<Params, State> {
  /** Time-major, where that is needed; else as they were given. */
  readonly all: unknown;
  readonly steps: readonly unknown[];
  readonly run: Unrolling<Params, State>;
  readonly loop: LoopOptions;
}

/**
 * Checks what a cell is run with.
 *
 * @param isWhole whether the inputs are needed time-major, and of the steps the first alone
 */
export function prepared<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  inputs: UnrollInputs<X>,
  options: UnrollOptions<State>,
  isWhole = true,
): PreparedUnroll<Params, State> {
  const { reverse = false, burnIn = 0, context, rng, compile = false, memory = "all" } = options;
  const sharding = checkedSharding("unroll", options, 1);
  const before = memoryOf(params, inputs)?.bytesInUse ?? 0;
  const isList = Array.isArray(inputs);
  if (!isList) checkWhole(inputs);
  const count = isList ? inputs.length : stepsOf(inputs);
  if (count === 0) throw new RangeError("unroll: expected at least one time step, got none");
  const steps: readonly unknown[] = isList
    ? inputs
    : Array.from({ length: isWhole ? 1 : count }, (_, t) => stepOf(inputs, t));
  const [first] = steps;
  checkBurnIn(burnIn, count, reverse);
  const { backend } = tree.leaves(first)[0] ?? {};
  const run: Unrolling<Params, State> = {
    ...{ params, burnIn, reverse, context, rng, state: options.state },
    warm: burnIn === 0 ? params : detached(params),
    start: (weights) => startOf(cell, weights, first as X, "unroll"),
    marks: checkedMarks("unroll", options, count, () => batchOf(first, "unroll"), backend, reverse),
  };
  if (isList && isWhole) checkAlike(inputs);
  const all: unknown = isList && isWhole ? joinTrees(steps, (parts) => stack(parts)) : inputs;
  return { all, run, steps, loop: { compile, memory, before, sharding } };
}

function checkBurnIn(burnIn: number, steps: number, reverse: boolean): void {
  if (!Number.isInteger(burnIn) || burnIn < 0 || burnIn >= steps) {
    throw new RangeError(
      `unroll: burnIn must be a whole number from 0 to ${steps - 1}, which leaves one of the ${steps} steps, got ${burnIn}`,
    );
  }
  if (reverse && burnIn > 0) {
    throw new TypeError(
      "unroll: burnIn warms up the state before the first step, and reverse begins with the last; leave one of them out",
    );
  }
}

/** Throws a sentence unless these are tensors with one number of steps as their first axis. */
function checkWhole(inputs: unknown): void {
  const leaves = tree.leavesWithPath(inputs);
  if (leaves.length === 0) {
    throw new TypeError(
      `unroll: inputs must be time-major tensors or an array of steps, got ${String(inputs)}`,
    );
  }
  const [[, first]] = leaves as [(typeof leaves)[number]];
  for (const [path, { rank, shape }] of leaves) {
    if (rank === 0)
      throw new RangeError("unroll: inputs must be time-major [T, B, ...], got a scalar");
    if (shape[0] === first.shape[0]) continue;
    throw new RangeError(
      `unroll: inputs must have one number of steps as their first axis, got ${first.shape[0]} and, at "${path}", ${shape[0]}`,
    );
  }
}

/** Throws a sentence unless all steps of a list look like the first. */
function checkAlike(steps: readonly unknown[]): void {
  const textOfStep = (step: unknown) =>
    tree
      .leavesWithPath(step)
      .map(([path, x]) => `${path === "" ? "" : `"${path}" `}${describeTensor(x)}`)
      .join(", ");
  const first = textOfStep(steps[0]);
  for (const [i, step] of steps.entries()) {
    const text = textOfStep(step);
    if (text === first) continue;
    throw new RangeError(
      `unroll: with compile, memory or parallel all steps are alike, and step 1 is ${first} and step ${i + 1} ${text}; leave these options out, or give time-major tensors and lengths`,
    );
  }
}

/** The memory that a loop works in. */
function memoryOf(params: unknown, inputs: unknown) {
  return (tree.leaves(params)[0] ?? tree.leaves(inputs)[0])?.backend.memory;
}
