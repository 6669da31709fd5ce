import { type Communicator, WorkerError } from "@chronograd/nn";
import type { Share } from "./share.ts";

/**
 * The next window's share on every worker, or `undefined` when their streams are over. What fails on one fails on all,
 * which then know its rank and what it said.
 */
export function together<Params, State>(
  communicator: Communicator,
  index: number,
  shares: Iterator<Share<Params, State>, void>,
): Share<Params, State> | undefined {
  const { rank, size } = communicator;
  const own = attempt(() => shares.next().value ?? undefined);
  const steps = communicator.allReduce(
    Array.from({ length: size }, (_, worker) => (worker === rank ? stepsOf(own) : 0)),
  );
  const failed = steps.indexOf(failure);
  if (failed !== -1) throw errorOf(failed, own, communicator);
  const other = steps.findIndex((count) => count !== steps[0]);
  if (other !== -1) {
    throw new RangeError(
      `truncated: the streams of all workers must have the same number of steps, got ${said(steps[0]!)} on worker 0 of ${size} and ${said(steps[other]!)} on worker ${other} for window ${index}; cut them to the shortest`,
    );
  }
  return "error" in own ? undefined : own.share;
}

type Attempt<T> = { readonly share: T | undefined } | { readonly error: unknown };

function attempt<T>(next: () => T | undefined): Attempt<T> {
  try {
    return { share: next() };
  } catch (error) {
    return { error };
  }
}

/** In place of a number of steps. */
const failure = -1;

/** New steps of a share: none at the end of a stream. */
function stepsOf(own: Attempt<Share<unknown, unknown>>): number {
  return "error" in own ? failure : (own.share?.losses.length ?? 0);
}

function said(steps: number): string {
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
