import { scope, Tensor, tensor, tree } from "@chronograd/autodiff";
import { stepsOf } from "./sequence.ts";
import type { HeldOut, Step, Task, Trained } from "./task.ts";
import { unrollPlanned } from "./unrollPlanned.ts";

/** A mean, and what it is of. */
export interface HeldOutLoss {
  readonly loss: number;
  /** Characters, values or the like. */
  readonly tokens: number;
}

/** How many steps run as one call of `unroll`. */
const chunk = 1024;

/**
 * The mean loss over held-out data, in one pass: the state is carried through all of it, as in
 * training, and every token counts once.
 *
 * @param outputs is told the output of every step that counts
 *
 * @example
 * ```ts
 * import { type Tensor, tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams } from "@chronograd/rnn";
 * import { heldOutLoss, modelOf } from "chronograd/training";
 *
 * const cell = { cell: "gru", size: [], export: undefined, hidden: 4, layers: 1 };
 * const model = await modelOf(cell, { input: { size: 1 }, output: 1 });
 * const params = initialParams(model, rng(1)) as never;
 * const items = () => [1, 2, 3].map((x) => ({ input: tensor([[x]]), target: tensor([[0]]) }));
 * const square = (y: Tensor) => y.square();
 * heldOutLoss({ model, params }, { items, burnIn: 1 }, square).tokens; // => 2
 * ```
 */
export function heldOutLoss(
  { model, params }: Trained,
  { items, burnIn }: HeldOut,
  loss: Task["loss"],
  outputs: (output: Tensor) => void = () => {},
): HeldOutLoss {
  let total = 0;
  let tokens = 0;
  let done = 0;
  let state: { readonly carried: never } | undefined;
  const run = (steps: readonly Step[]) => {
    const inputs = steps.map(({ input }) => input) as never;
    const unrolled = unrollPlanned(model, params, inputs, {
      rng: null,
      ...(state && { state: state.carried }),
      ...stackedMarks(steps),
    });
    for (const [t, { target, mask }] of steps.entries()) {
      if (done++ < burnIn) continue;
      const output = tree.map(unrolled.outputs, (x: Tensor) => x.slice([t]));
      if (output instanceof Tensor) outputs(output);
      const counted = countedLoss(loss(output as never, target as never), mask);
      total += counted.loss;
      tokens += counted.tokens;
    }
    return { carried: unrolled.state as never };
  };
  for (const steps of chunks(items())) state = scope(() => run(steps));
  return { loss: total / tokens, tokens };
}

/** The time steps of items, some at a time. */
function* chunks(items: ReturnType<HeldOut["items"]>): Generator<readonly Step[]> {
  let steps: Step[] = [];
  for (const item of items) {
    for (const step of stepsOf(item)) {
      steps.push(step);
      if (steps.length < chunk) continue;
      yield steps;
      steps = [];
    }
  }
  if (steps.length > 0) yield steps;
}

/** The marks of steps over time; none where no step has some. */
function stackedMarks(steps: readonly Step[]): { resets?: Tensor; mask?: Tensor } {
  const stack = (name: "reset" | "mask", otherwise: number) => {
    const size = steps.find((step) => step[name])?.[name]?.size;
    if (size === undefined) return undefined;
    const rows = steps.flatMap((step) =>
      step[name] === undefined
        ? Array<number>(size).fill(otherwise)
        : [...step[name].toTypedArray()],
    );
    return tensor(Int32Array.from(rows), { shape: [steps.length, size] });
  };
  const [resets, mask] = [stack("reset", 0), stack("mask", 1)];
  return { ...(resets && { resets }), ...(mask && { mask }) };
}

/** A loss as two numbers: those of rows without a step are left out. */
function countedLoss(
  result: ReturnType<Task["loss"]>,
  mask: Tensor | undefined,
): { readonly loss: number; readonly tokens: number } {
  if (result === null) return { loss: 0, tokens: 0 };
  const { loss, count } = result instanceof Tensor ? { loss: result, count: result.size } : result;
  if (mask === undefined) {
    return {
      loss: loss.sum().item(),
      tokens: typeof count === "number" ? count : count.sum().item(),
    };
  }
  const isThere = Array.from(mask.toTypedArray());
  const ofRows = (x: Tensor) =>
    Array.from(x.toTypedArray()).reduce((sum, value, i) => {
      return isThere[Math.floor((i * isThere.length) / x.size)] === 1 ? sum + value : sum;
    }, 0);
  const rows = isThere.reduce((sum, one) => sum + one, 0);
  const tokens = count instanceof Tensor ? ofRows(count) : (count * rows) / isThere.length;
  return { loss: ofRows(loss), tokens };
}
