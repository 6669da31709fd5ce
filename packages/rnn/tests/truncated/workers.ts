// What the workers of the tests do: train on their rows, or fail.
import { customGradient, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { adam, applyUpdates, type Communicator, chain, clipByGlobalNorm } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { type TimeStep, type TruncatedOptions, truncated } from "../../src/index.ts";
import { type AnyParams, numbers, problem } from "./setup.ts";

type Options = Omit<TruncatedOptions<Record<string, never>>, "loss" | "measure" | "communicator">;

/** One training run over `B` rows, of which each worker takes its own. */
export interface Setting {
  readonly name: "elman" | "lstm" | "gru";
  readonly T: number;
  readonly B: number;
  readonly seed: number;
  readonly options: Options;
  /** Whether some rows count for nothing, and so some steps of some workers. */
  readonly masked?: boolean;
  readonly measured?: boolean;
}

export interface Given {
  readonly settings: readonly Setting[];
  /** What goes wrong, on worker 1. */
  readonly bug?:
    | "NaN"
    | "throws"
    | "shorter"
    | "sweep throws"
    | "measure throws"
    | "measure differs";
}

/**
 * A loss of the rows that a step's target says, by its first column; `null` where there are none.
 */
function maskedLoss(y: Tensor, target: Tensor, counts: number[]) {
  const first = [...target.toTypedArray()].filter((_, i) => i % 3 === 0);
  const mask = first.map((x) => (x > 0.2 ? 1 : 0));
  const count = mask.reduce<number>((a, b) => a + b, 0);
  counts.push(count);
  if (count === 0) return null;
  const errors = y.sub(target).square().sum(-1);
  return { loss: errors.mul(tensor(mask, { dtype: "float64" })), count };
}

/** The steps of one worker, with what is wrong on worker 1. */
function* stepsOf(
  steps: readonly TimeStep[],
  communicator: Communicator,
  bug: Given["bug"],
): Generator<TimeStep> {
  for (const [i, step] of steps.entries()) {
    const own = shard(step, communicator);
    const isBad = communicator.rank === 1 && i + 1 === 7;
    if (isBad && bug === "throws") throw new TypeError("the file is torn");
    if (isBad && bug === "shorter") return;
    if (isBad && bug === "NaN") yield { ...own, input: own.input.mul(Number.NaN) };
    else yield own;
  }
}

/** A loss whose gradient throws. */
const torn = customGradient(
  (x: Tensor) => x,
  (): Tensor => {
    throw new RangeError("the gradient is torn");
  },
);

/**
 * Trains with clipping; every number that a user sees on the way, and this worker's tokens of each
 * step.
 */
export function train(communicator: Communicator, setting: Setting, bug?: Given["bug"]) {
  const { name, T, B, seed, options, masked = false, measured = false } = setting;
  const { cell, params, steps, loss } = problem(name, T, seed, B);
  let present = tree.map(params, (x: Tensor) => x.clone()) as AnyParams;
  const optimizer = chain({ clip: clipByGlobalNorm(0.5), adam: adam({ learningRate: 0.01 }) });
  let state = optimizer.init(present);
  const windows = [];
  const counts: number[] = [];
  const isBad = communicator.rank === 1;
  for (const window of truncated(cell, present, stepsOf(steps, communicator, bug), {
    ...options,
    loss: (y, target) => {
      if (masked) return maskedLoss(y, target, counts);
      return isBad && bug === "sweep throws" ? torn(loss(y, target)) : loss(y, target);
    },
    measure: (index) => {
      if (isBad && bug === "measure throws") throw new RangeError("the measure is torn");
      return isBad && bug === "measure differs" ? index === 0 : measured && index % 2 === 0;
    },
    communicator,
  })) {
    const { losses, count, gradientCount, start, newFrom, end, stateGradientNorms = [] } = window;
    windows.push({
      gradients: numbers(window.gradients),
      totals: { losses: [...losses], loss: [window.loss], norms: [...stateGradientNorms] },
      spans: [count, gradientCount, start, newFrom, end],
      rows: Object.values(tree.map(window.state, (x: Tensor) => x.shape[0]) as object),
    });
    const [updates, next] = optimizer.update(window.gradients, state, present);
    present = applyUpdates(present, updates as AnyParams) as AnyParams;
    state = next;
  }
  return { windows, params: numbers(present), counts };
}

/** What one worker's run threw. */
function failure(act: () => unknown): { name: string; message: string; cause: string } {
  try {
    act();
  } catch (error) {
    const { name, message, cause } = error as Error;
    return { name, message, cause: String(cause) };
  }
  throw new Error("nothing was thrown");
}

export default (communicator: Communicator, { settings, bug }: Given): unknown =>
  settings.map((setting) => {
    if (bug === undefined) return train(communicator, setting);
    return failure(() => train(communicator, setting, bug));
  });
