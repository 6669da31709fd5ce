import { concat, ones, type Tensor } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { Transition } from "../derivatives/transition.ts";
import { floatsOf, rowsVector } from "../derivatives/vectors.ts";
import { atStep } from "../stepErrors.ts";
import type { StepLoss } from "../truncated/step.ts";
import { backwards } from "./backwards.ts";
import type { LagSamples } from "./lagSamples.ts";
import { cutCotangents, lossAt } from "./lossAt.ts";
import { lengthOf } from "./orthonormal.ts";
import { presentRows } from "./presentRows.ts";
import type { TrajectoryStep } from "./trajectory.ts";

/** What stays the same over a sweep. */
interface Sweep<Params, State, X, Y, Target> {
  readonly where: string;
  readonly cell: Cell<Params, State, X, Y>;
  readonly params: Values<Params>;
  readonly loss: StepLoss<Y, Target>;
  readonly lags: number;
  /** Losses are taken of every so many steps, counted from the last; of all unless given. */
  readonly every?: number;
  readonly samples: LagSamples;
}

/** Losses on their way back: those of K steps s, and `dl_s / dh_t`, `[K, B, H]`. */
interface OnTheWay {
  readonly steps: readonly number[];
  readonly cotangents: Tensor | undefined;
}

/** Pulls every loss of a trajectory back through so many steps, from its end to its beginning. */
export function sweepLags<Params, State, X, Y, Target>(
  sweep: Sweep<Params, State, X, Y, Target>,
  trajectory: readonly TrajectoryStep<State, X, Target>[],
): void {
  const none: OnTheWay = { steps: [], cotangents: undefined };
  const { every = 1 } = sweep;
  backwards(sweep.where, trajectory, none, (at, onTheWay) => {
    const isTaken = (trajectory.length - at.t) % every === 0;
    return backOneStep(sweep, at, isTaken ? ownCotangent(sweep, at) : undefined, onTheWay);
  });
}

/** From the state after step t to the state before it, with its own loss as one more. */
function backOneStep<Params, State, X, Y, Target>(
  sweep: Sweep<Params, State, X, Y, Target>,
  at: TrajectoryStep<State, X, Target>,
  own: Tensor | undefined,
  { steps: later, cotangents }: OnTheWay,
): OnTheWay {
  const { where, cell, params, lags, samples } = sweep;
  const { t, step, before } = at;
  const pull = (from: Tensor) => new Transition(cell, params, step, before).pull(from);
  const pulled = cotangents && atStep(`${where}: step`, t, () => pull(cotangents));
  const parts = [own, pulled].filter((part) => part !== undefined);
  if (parts.length === 0) return { steps: later, cotangents: undefined };
  const steps = own === undefined ? later : [t, ...later];
  const all = concat(parts);
  for (const [k, norms] of normsOf(all).entries()) {
    checkNorms(where, norms, steps[k]!, t - 1);
    samples.add(steps[k]!, norms);
  }
  const kept = steps.filter((s) => s - (t - 1) < lags);
  if (kept.length === 0) return { steps: kept, cotangents: undefined };
  return { steps: kept, cotangents: all.slice([[0, kept.length]]) };
}

/** `dl_t / dh_{t-1}`, `[1, B, H]`, of a step with a loss, whose norms at lag 0 it notes. */
function ownCotangent<Params, State, X, Y, Target>(
  { where, cell, params, loss: lossOf, samples }: Sweep<Params, State, X, Y, Target>,
  at: TrajectoryStep<State, X, Target>,
): Tensor | undefined {
  const { t, step } = at;
  const { tape, before, after, loss } = lossAt(where, cell, params, at, lossOf);
  if (loss === null) return undefined;
  const { shape, dtype, backend } = loss;
  const cotangent = ones(shape, { dtype, backend });
  const gradient = rowsVector(tape.gradient(loss, before, { cotangent }));
  const [B, H] = gradient.shape as [number, number];
  samples.begin(t, presentRows(step, B));
  const cut = rowsVector(cutCotangents(tape, loss, floatsOf(after))).reshape([1, B, H]);
  const [norms] = normsOf(cut) as [Float64Array];
  checkNorms(where, norms, t, t);
  samples.add(t, norms);
  return gradient.reshape([1, B, H]);
}

/** Norms, whatever the scale: K lists of B. */
function normsOf(cotangents: Tensor): Float64Array[] {
  const [K, B, H] = cotangents.shape as [number, number, number];
  const values = Float64Array.from(cotangents.toTypedArray());
  const normAt = (i: number) => lengthOf(values.subarray(i * H, (i + 1) * H));
  return Array.from({ length: K }, (_, k) =>
    Float64Array.from({ length: B }, (_, b) => normAt(k * B + b)),
  );
}

function checkNorms(where: string, norms: Float64Array, s: number, t: number): void {
  const wrong = norms.find((norm) => !Number.isFinite(norm));
  if (wrong === undefined) return;
  throw new RangeError(
    `${where}: the gradient of the loss of step ${s} by the state after step ${t} is ${wrong}; look at the parameters, or give fewer lags where gradients explode`,
  );
}
