import { type Communicator, WorkerError } from "@chronograd/nn";
import type { LocalGradients } from "./engines/engine.ts";
import type { LocalWindow } from "./estimators/estimator.ts";
import type { AnyStreamSettings } from "./options.ts";
import type { Owned } from "./step.ts";

/**
 * The next window of every worker, or `undefined` when their streams are over. What fails on one
 * fails on all, which then know its rank and what it said.
 */
export function nextOnAll<Own extends Owned<Pick<Counts, "losses">>>(
  windows: Iterator<Own, void>,
  { where, communicator }: Pick<AnyStreamSettings, "where" | "communicator">,
  index: number,
): Own | undefined {
  const { rank, size } = communicator;
  const own = attempt(() => windows.next().value ?? undefined);
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
function stepsOf(own: Attempt<Owned<Pick<Counts, "losses">>>): number {
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

/** The sums over all workers: of what their windows count, then of the gradients. */
export function reduceWindow<Params>(
  own: LocalWindow<Params, unknown>,
  { communicator, reduction }: Pick<AnyStreamSettings, "communicator" | "reduction">,
  measure: boolean,
): Counts & LocalGradients<Params> {
  const { losses, count, gradientCount } = own;
  const counts = communicator.allReduce({ losses, count, gradientCount });
  // Divided by the tokens of all workers before the sweep, so gradients of a mean add up too.
  const tokens = reduction === "mean" ? counts.gradientCount : 1;
  const gradients = own.gradients(tokens, measure);
  return { ...counts, ...communicator.allReduce(gradients) };
}

type Counts = Pick<LocalWindow<unknown, unknown>, "losses" | "count" | "gradientCount">;
