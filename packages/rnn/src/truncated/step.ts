import { type Tape, type Tensor, timeStep, tree } from "@chronograd/autodiff";
import type { Region } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { checkTarget } from "../checkRows.ts";
import { findTensor, nameOfTensor } from "../findTensor.ts";
import { advance } from "../sequences/advance.ts";
import type { Marks } from "../sequences/marks.ts";
import type { Prepared } from "../sequences/prepare.ts";
import { errorOfStep } from "../stepErrors.ts";
import { type CountedLoss, countedLoss } from "./countedLoss.ts";

/** One time step of a stream: what the model sees and what it should say. */
export interface TimeStep<X = Tensor, Target = Tensor> extends Marks {
  readonly input: X;
  readonly target: Target;
}

/** A step of a stream, ready to be run. */
export type PreparedStep<X, Target> = TimeStep<X, Target> & Prepared;

/** The loss of one step; `null` where a step has none. */
export type StepLoss<Y, Target> = (output: Y, target: Target) => Tensor | CountedLoss | null;

/** A weighted loss of a window's objective: that of step `t`. */
export interface Term {
  readonly t: number;
  readonly weight: number;
}

/** A value, and the region that holds what was made on the way to it. */
export interface Owned<T> {
  readonly value: T;
  readonly region: Region;
}

/** What running a step needs of the settings. */
export interface StepSettings<Y, Target> {
  /** The public function, whose errors are said to be. */
  readonly where: string;
  readonly loss: StepLoss<Y, Target>;
  /** What a step begins with, from the state before it: the same values, for an estimator's use. */
  readonly stateOf?: <State>(state: State, step: object) => State;
}

/** What a step gives: the state after it, its loss, and how many tokens that counts. */
export interface StepResult<State> {
  readonly next: State;
  readonly loss: Tensor | null;
  readonly count: number | Tensor;
}

/** Runs step `t` and its loss on a tape that watches `params`. */
export function takeStep<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  settings: StepSettings<Y, Target>,
  tape: Tape,
  params: Values<Params>,
  state: Values<State>,
  step: PreparedStep<X, Target>,
  t: number,
): StepResult<Values<State>> {
  const { where } = settings;
  const { input, target } = step;
  let part = "step";
  const run = () => {
    const before = settings.stateOf?.(state, step) ?? state;
    const { output, next } = advance(cell, params, input, step, before);
    if (output === undefined) return { next, result: null };
    checkTarget(target, input, state);
    part = "the loss of step";
    return { next, result: settings.loss(output, target) };
  };
  let stepped: ReturnType<typeof run>;
  try {
    stepped = timeStep(t, run);
  } catch (cause) {
    throw errorOfStep(`${where}: ${part}`, t, cause);
  }
  const { next, result } = stepped;
  checkOwn(where, "the state after", t, next, tape);
  checkOwn(where, "the loss of", t, result, tape);
  return { next, ...countedLoss(where, result, t, step) };
}

const isTracked = ({ tape }: Tensor): boolean => tape !== null;

const wayOut =
  "a window is a constant to that tape, so derivatives through it would be zero; differentiate unroll instead, or pass detach(...)ed values";

/** Throws a sentence for a tensor that a tape around the stream tracks. */
export function checkUntracked(where: string, name: string, values: unknown): void {
  if (findTensor(values, isTracked) === undefined) return;
  const [path, x] = tree.leavesWithPath(values).find(([, leaf]) => isTracked(leaf))!;
  throw new TypeError(
    `${where}: ${nameOfTensor(name, path, x)} is tracked by a tape around the stream (grad, vjp, jvp or one of yours); ${wayOut}`,
  );
}

/**
 * Throws a sentence for a result of a step that another tape than the stream's own tracks: the
 * model or the loss took a value of that tape from outside.
 */
function checkOwn(where: string, name: string, t: number, values: unknown, tape: Tape): void {
  if (findTensor(values, (x) => x.tape !== null && tape.strip(x).tape !== null) === undefined)
    return;
  throw new TypeError(
    `${where}: ${name} step ${t} depends on a value from outside that a tape around the stream tracks (grad, vjp, jvp or one of yours); ${wayOut}`,
  );
}
