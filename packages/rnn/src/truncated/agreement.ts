import type { MapTree, Tensor } from "@chronograd/autodiff";
import { type Communicator, WorkerError } from "@chronograd/nn";
import type { LocalWindow } from "./estimators/estimator.ts";
import { mean } from "./objective.ts";
import type { WindowSettings } from "./options.ts";

/** A window as `next` gives it, and whatever goes with it. */
interface Next {
  readonly value: Pick<LocalWindow<unknown, unknown>, "losses">;
}

/**
 * The next window of every worker, or `undefined` when their streams are over. What fails on one
 * fails on all, which then know its rank and what it said.
 */
export function nextOnAll<Own extends Next>(
  where: string,
  communicator: Communicator,
  index: number,
  next: () => Own | undefined,
): Own | undefined {
  const { rank, size } = communicator;
  const own = attempt(next);
  const steps = communicator.allReduce(
    Array.from({ length: size }, (_, worker) => (worker === rank ? stepsOf(own) : 0)),
  );
  const failed = steps.indexOf(failure);
  if (failed !== -1) throw errorOf(failed, own, communicator);
  const other = steps.findIndex((count) => count !== steps[0]);
  if (other !== -1) {
    throw new RangeError(
      `${where}: the streams of all workers must have the same number of steps, got ${inWords(steps[0]!)} on worker 0 of ${size} and ${inWords(steps[other]!)} on worker ${other} for window ${index}; cut them to the shortest`,
    );
  }
  return "error" in own ? undefined : own.result;
}

type Attempt<T> = { readonly result: T | undefined } | { readonly error: unknown };

function attempt<T>(next: () => T | undefined): Attempt<T> {
  try {
    return { result: next() };
  } catch (error) {
    return { error };
  }
}

/** In place of a number of steps. */
const failure = -1;

/** New steps of a window: none at the end of a stream. */
function stepsOf(own: Attempt<Next>): number {
  return "error" in own ? failure : (own.result?.value.losses.length ?? 0);
}

function inWords(steps: number): string {
  return steps === 0 ? "none" : String(steps);
}

/** The error of worker `failed`, for every worker; one that is alone throws what it caught. */
function errorOf(failed: number, own: Attempt<unknown>, communicator: Communicator): unknown {
  const { rank, size } = communicator;
  const isOwn = rank === failed && "error" in own;
  if (isOwn && size === 1) return own.error;
  const text = isOwn ? (own.error instanceof Error ? own.error.message : String(own.error)) : "";
  const length = communicator.broadcast(text.length, failed);
  const letters = Array.from({ length }, (_, i) => (i < text.length ? text.charCodeAt(i) : 0));
  const message = String.fromCharCode(...communicator.broadcast(letters, failed));
  return new WorkerError(failed, size, message, isOwn ? { cause: own.error } : undefined);
}

/** What is of all workers' rows in a window; see `Window`. */
export interface ReducedWindow<Params> {
  readonly gradients: MapTree<Params, Tensor>;
  readonly losses: readonly number[];
  readonly loss: number;
  readonly count: number;
  readonly gradientCount: number;
  readonly stateGradientNorms?: readonly number[];
}

/** Sums over the windows of all workers: first what they count, then their gradients. */
export function reduceWindow<Params>(
  own: LocalWindow<Params, unknown>,
  { communicator, reduction }: WindowSettings,
  measure: boolean,
): ReducedWindow<Params> {
  const { losses, count, gradientCount } = communicator.allReduce({
    losses: own.losses,
    count: own.count,
    gradientCount: own.gradientCount,
  });
  // A sum is a mean over one. Weights are those of all workers before the sweep, so gradients add up.
  const over = (tokens: number) => (reduction === "mean" ? tokens : 1);
  const ownGradients = own.gradients(over(gradientCount), measure);
  const { gradients, squares } = communicator.allReduce(ownGradients);
  const total = losses.reduce((a, b) => a + b, 0);
  return {
    gradients,
    losses,
    loss: mean(total, over(count)),
    count,
    gradientCount,
    ...(squares && { stateGradientNorms: squares.map(Math.sqrt) }),
  };
}
