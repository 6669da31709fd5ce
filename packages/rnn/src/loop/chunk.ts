import { clone, type MapTree, stack, Tape, type Tensor, tree } from "@chronograd/autodiff";
import { alias, type ValueAndPullbacks } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { changeOfType } from "../checkState.ts";
import { findTensor } from "../findTensor.ts";
import { advance } from "../sequences/advance.ts";
import { joinTrees } from "../sequences/joinTrees.ts";
import { present } from "../sequences/unrollSteps.ts";
import { atStep } from "../stepErrors.ts";
import type { Chunk } from "./chunks.ts";
import { NotLoopable } from "./notLoopable.ts";

/**
 * What a chunk of steps is computed from; time comes first in `xs`, `reset`, `mask` and `first`.
 */
export interface ChunkInputs<Params, State> {
  readonly params: Values<Params>;
  readonly state: Values<State>;
  readonly xs: unknown;
  readonly context: unknown;
  readonly reset?: Tensor;
  readonly mask?: Tensor;
  /** 1 at the first row of a step that `mask` has. */
  readonly first?: Tensor;
  /** The initial state, for rows that are reset, unless it is learned. */
  readonly fresh?: unknown;
  /** Of each step, in the order in which they run; none where nothing is drawn. */
  readonly noise?: readonly unknown[];
}

/** What belongs to the steps of a chunk, without copying. */
export function inputsOf<Params, State>(
  whole: ChunkInputs<Params, State>,
  { start, length }: Pick<Chunk, "start" | "length">,
): ChunkInputs<Params, State> {
  const { xs, reset, mask, first } = whole;
  const part = (x: Tensor) => {
    const own = x.shape.slice(1);
    return alias(x, [length, ...own], start * own.reduce((a, b) => a * b, 1));
  };
  return {
    ...whole,
    xs: tree.map(xs, part),
    ...(reset && { reset: part(reset) }),
    ...(mask && first && { mask: part(mask), first: part(first) }),
  };
}

/** The inputs that gradients are taken by. */
export type Variable = "params" | "state" | "xs" | "context";

/** The outputs of a chunk's steps, time first, and the state after the last one. */
export interface ChunkValue<State, Y> {
  readonly outputs: MapTree<Y, Tensor> | undefined;
  readonly state: Values<State>;
}

/** Gradients by the variables, as trees like them. */
export type ChunkGradient = Partial<Record<Variable, unknown>>;

/** How a chunk runs. */
export interface ChunkSettings {
  /** Steps of the chunk. */
  readonly length: number;
  /** Whether the last step comes first. */
  readonly reverse: boolean;
  /** No row has any step: resets are all that happens. */
  readonly isEmpty: boolean;
  readonly by: readonly Variable[];
  /** Steps of the sequence before the chunk, for errors. */
  readonly start: number;
}

/** The steps of a chunk, on a tape of their own where a gradient may be asked for. */
export function runChunk<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  { length, reverse, isEmpty, by, start }: ChunkSettings,
): ValueAndPullbacks<ChunkValue<State, Y>, ChunkGradient> {
  const tape = by.length === 0 ? undefined : new Tape();
  const variables = Object.fromEntries(
    by.map((name) => [name, tape!.watch(inputs[name])]),
  ) as ChunkGradient;
  const given = { ...inputs, ...variables } as ChunkInputs<Params, State>;
  const { params, xs, context, fresh, noise } = given;
  let state = given.state;
  const outputs: Y[] = [];
  for (let i = 0; i < length; i++) {
    const at = reverse ? length - 1 - i : i;
    const step = (x: Tensor) => x.slice([at]);
    const x = tree.map(xs, step);
    const input = (context === undefined ? x : { x, context }) as X;
    const { reset, mask, first } = tree.map(
      { reset: inputs.reset, mask: inputs.mask, first: inputs.first },
      step,
    ) as Partial<Record<"reset" | "mask" | "first", Tensor>>;
    const prepared = {
      ...(reset && { reset, fresh }),
      ...(mask && first && { mask, first }),
      ...(isEmpty && { isEmpty }),
      noise: noise?.[i],
    };
    const before = state;
    atStep("unroll: step", start + at + 1, () => {
      const { output, next } = advance(cell, params, input, prepared, before);
      if (output !== undefined) outputs[at] = present(output, prepared)!;
      state = next;
    });
  }
  const after = state;
  checkTypes(inputs.state, after);
  const stacked = isEmpty
    ? undefined
    : (joinTrees(outputs, (parts) => stack(parts)) as MapTree<Y, Tensor>);
  const strip = (x: Tensor) => tape?.strip(x) ?? x;
  const isForeign = (x: Tensor) => strip(x).tape !== null;
  if (findTensor([stacked, after], isForeign) !== undefined) {
    throw new TypeError(
      `unroll: step ${start + 1} depends on a value from outside that a tape around the loop tracks (grad, vjp, jvp or one of yours), of which compile and memory would lose the derivative; make it part of the parameters, the inputs or the context, or leave both options out`,
    );
  }
  // Copies, so that what a step made may lie where a plan wants it.
  const value: ChunkValue<State, Y> = {
    outputs: tree.map(stacked, strip) as MapTree<Y, Tensor>,
    state: tree.map(after, (x: Tensor) => clone(strip(x))) as Values<State>,
  };
  if (tape === undefined) return { value, pullbacks: [] };
  const pullback = (cotangents: unknown): ChunkGradient => {
    const targets: Tensor[] = [];
    const arriving: Tensor[] = [];
    const g = new Map(tree.leavesWithPath(cotangents));
    for (const [path, y] of tree.leavesWithPath({ outputs: stacked, state: after })) {
      if (y.dtype === "int32" || !tape.tracks(y)) continue;
      targets.push(y);
      arriving.push(g.get(path)!);
    }
    return tape.gradient(targets, variables, { cotangent: arriving }) as ChunkGradient;
  };
  return { value, pullbacks: [pullback] };
}

/** A step may change the state's values alone. */
function checkTypes(before: unknown, after: unknown): void {
  const change = changeOfType(before, after);
  if (change === undefined) return;
  throw new NotLoopable(
    `unroll: with compile or memory the state keeps its shape, and a step changes ${change.path} from ${change.was} to ${change.is}; leave both out, or give it the longest shape from the start`,
  );
}
