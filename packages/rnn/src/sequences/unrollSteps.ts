import { detach, scope, stack, type Tensor, tree, zeros } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "../cell.ts";
import { likeParams } from "../initial.ts";
import { runStep } from "../runStep.ts";
import { atStep } from "../stepErrors.ts";
import type { Unrolled } from "../unroll.ts";
import { advance } from "./advance.ts";
import { joinTrees } from "./joinTrees.ts";
import { type CheckedMarks, marksAt } from "./marks.ts";
import { Preparation, type Prepared } from "./prepare.ts";
import { checkRowAxis, fillRows, zeroRows } from "./rows.ts";

/** What `unroll` runs a cell with, checked. */
export interface Unrolling<Params, State> {
  readonly params: Values<Params>;
  /** The parameters that the first `burnIn` steps run with. */
  readonly warm: Values<Params>;
  readonly burnIn: number;
  readonly reverse: boolean;
  readonly marks: CheckedMarks;
  readonly context: unknown;
  readonly rng: Rng | null | undefined;
  readonly state: Values<State> | undefined;
  /** The noise of the step before the first, in a part of a sequence. */
  readonly noise?: unknown;
  /** The cell's own initial state. */
  start(params: Values<Params>): Values<State>;
}

/** `unroll` step by step. */
export function unrollSteps<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  steps: readonly X[],
  { params, warm, burnIn, reverse, marks, context, rng, ...from }: Unrolling<Params, State>,
): Unrolled<State, Y> {
  const preparation = new Preparation("unroll", cell, likeParams([params, from.state ?? {}]), {
    rng,
    noise: from.noise,
    isFresh: false,
    isUniform: false,
    keep: (make) => make(),
  });
  const count = steps.length;
  let state = from.state ?? from.start(warm);
  const inputOf = (t: number) =>
    (context === undefined ? steps[t - 1] : { x: steps[t - 1], context }) as X;
  const outputs = new Array<Y | undefined>(count);
  for (let i = 0; i < count; i++) {
    const t = reverse ? count - i : i + 1;
    if (i <= burnIn && burnIn > 0) state = detached(state);
    const input = inputOf(t);
    const prepared = preparation.next(marksAt(marks, t), input, t);
    // What a step computes off the tape goes with it; a tape holds its own.
    const before = state;
    const { output, next } = scope(() =>
      atStep("unroll: step", t, () => {
        const weights = i < burnIn ? warm : params;
        const done = advance(
          cell,
          weights,
          fillRows(input, prepared.mask, prepared.first),
          prepared,
          before,
        );
        return { ...done, output: present(done.output, prepared) };
      }),
    );
    outputs[t - 1] = output;
    state = next;
  }
  const some =
    outputs.find((output) => output !== undefined) ?? outputOfNone(cell, params, inputOf(1), state);
  const all = outputs.slice(burnIn).map((output) => output ?? zerosLike(some));
  const stacked = joinTrees(all, (parts) => stack(parts)) as Unrolled<State, Y>["outputs"];
  return { outputs: stacked, state };
}

/** The output of the rows that have a step, 0 for the others. */
export function present<Y>(output: Y | undefined, { mask, first }: Prepared): Y | undefined {
  if (output === undefined || mask === undefined) return output;
  return tree.map(output, (x: Tensor) => {
    checkRowAxis("the output", mask, x, "return one row for each of the input");
    return first === undefined ? x : zeroRows(mask, x);
  }) as Y;
}

export function detached<T>(values: T): T {
  return tree.map(values, (x: Tensor) => detach(x)) as T;
}

function zerosLike<T>(values: T): T {
  return tree.map(values, ({ shape, dtype, backend }: Tensor) =>
    zeros(shape, { dtype, backend }),
  ) as T;
}

/** What an output looks like where no row has any step. */
export function outputOfNone<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  input: X,
  state: Values<State>,
): Y {
  const [output] = runStep(cell, detached(params), zerosLike(input), detached(state));
  return output;
}
