import { type Communicator, WorkerError } from "@chronograd/nn";
import { rowsOf } from "../checkRows.ts";
import type { LocalGradients, wholeGradient } from "./engines/engine.ts";
import type { LocalWindow } from "./estimators/estimator.ts";
import type { AnyStreamSettings } from "./options.ts";
import type { Owned } from "./step.ts";

/** Throws unless all workers have the same options, and begin after the same step. */
export function beginOnAll(settings: AnyStreamSettings): void {
  const { resumed, sharding } = settings;
  const { where, ...others } = settings;
  const options = { ...others, shards: sharding?.shards };
  // Workers agree on what a collective is called with: so on each option by name.
  const lines = Object.entries(options)
    .filter(([, value]) => ["string", "number", "boolean"].includes(typeof value))
    .map(([name, value]) => `${where} with ${name} ${value}`);
  sayOnAll(settings, lines);
  onAll(
    settings,
    0,
    () => {},
    () => resumed?.end ?? 0,
    {
      rule: "the live windows of all workers must end at the same step",
      inWords: (end) => (end === 0 ? "none" : `step ${end}`),
      wayOut: "resume all of them from one checkpoint",
    },
  );
}

/** Throws unless all workers come with the same lines. */
function sayOnAll(
  { communicator }: Pick<AnyStreamSettings, "communicator">,
  lines: readonly string[],
): void {
  if (communicator.size === 1) return;
  communicator.allReduce(Object.fromEntries(lines.map((line) => [line, 0])));
}

/** Throws unless all workers have as many rows, where shards are to be alike. */
export function shardsOnAll(settings: AnyStreamSettings, state: unknown): void {
  const { where, sharding } = settings;
  // Those that a live window brings need not be.
  if ((sharding?.shards ?? 0) === 0 || sharding?.isTrusted === true) return;
  sayOnAll(settings, [`${where} with shards, and ${rowsOf(state) ?? 1} rows on each worker`]);
}

/** The next window of every worker, or `undefined` when their streams are over. */
export function nextOnAll<Own extends Owned<Pick<Counts, "losses">>>(
  next: () => Own | undefined,
  settings: Pick<AnyStreamSettings, "where" | "communicator">,
  index: number,
): Own | undefined {
  return onAll(settings, index, next, (own) => own?.value.losses.length ?? 0, {
    rule: "the streams of all workers must have the same number of steps",
    inWords: (steps) => (steps === 0 ? "none" : String(steps)),
    wayOut: "cut them to the shortest",
  });
}

/**
 * The sums over all workers: of what their windows count, then of the gradients.
 *
 * @param sum `wholeGradient`, or a plan of it
 */
export function reduceWindow<Params>(
  own: LocalWindow<Params, unknown>,
  settings: Pick<
    AnyStreamSettings,
    "where" | "communicator" | "reduction" | "measure" | "adaptive"
  >,
  index: number,
  sum: typeof wholeGradient,
): ReducedWindow<Params> {
  const { communicator, reduction, measure, adaptive } = settings;
  const { losses, count, gradientCount } = own;
  const counts = communicator.allReduce({ losses, count, gradientCount });
  // Divided by the tokens of all workers before the sweep, so gradients of a mean add up too.
  const tokens = reduction === "mean" ? counts.gradientCount : 1;
  let isMeasured = false;
  let lags: readonly number[] | undefined;
  const sweep = () => {
    if (adaptive?.isDue(index) === true) lags = own.lags!();
    isMeasured = measure?.(index) ?? false;
    return own.gradients(tokens, isMeasured);
  };
  const gradients = onAll(settings, index, sweep, () => (isMeasured ? 1 : 0), {
    rule: "measure must choose the same windows on all workers",
    inWords: (number) => String(number === 1),
    wayOut: "let it depend on the window's index alone",
  });
  // All workers choose from the same numbers.
  if (lags !== undefined) adaptive!.observe(communicator.allReduce(lags));
  const { gradients: shards, squares } = gradients;
  const one = shards.length === 1 ? shards[0]! : sum(shards);
  const whole = { gradients: one, ...(squares && { squares }) };
  return { ...counts, ...communicator.allReduce(whole) };
}

/** A window of all workers' rows. */
export interface ReducedWindow<Params> extends Counts, Pick<LocalGradients<Params>, "squares"> {
  readonly gradients: LocalGradients<Params>["gradients"][number];
}

type Counts = Pick<LocalWindow<unknown, unknown>, "losses" | "count" | "gradientCount">;

/** In place of a number. */
const failure = -1;

/**
 * What `act` gives on this worker, once it gave what counts the same `numberOf` on all. What fails
 * on one fails on all, which then know its rank and what it said; one that is alone just throws it.
 */
function onAll<T>(
  { where, communicator }: Pick<AnyStreamSettings, "where" | "communicator">,
  index: number,
  act: () => T,
  numberOf: (result: T) => number,
  { rule, inWords, wayOut }: { rule: string; inWords: (number: number) => string; wayOut: string },
): T {
  const { rank, size } = communicator;
  if (size === 1) return act();
  const own = attempt(act);
  const number = "error" in own ? failure : numberOf(own.result);
  // Where another worker comes with something else, it is told by this name.
  const name = `${where}: how far the worker is`;
  const numbers = communicator.allReduce({
    [name]: Array.from({ length: size }, (_, worker) => (worker === rank ? number : 0)),
  })[name]!;
  const failed = numbers.indexOf(failure);
  if (failed !== -1 || "error" in own) throw errorOf(failed, own, communicator);
  const other = numbers.findIndex((theirs) => theirs !== numbers[0]);
  if (other === -1) return own.result;
  throw new RangeError(
    `${where}: ${rule}, got ${inWords(numbers[0]!)} on worker 0 of ${size} and ${inWords(numbers[other]!)} on worker ${other} for window ${index}; ${wayOut}`,
  );
}

type Attempt<T> = { readonly result: T } | { readonly error: unknown };

function attempt<T>(act: () => T): Attempt<T> {
  try {
    return { result: act() };
  } catch (error) {
    return { error };
  }
}

/** The error of worker `failed`, for every worker. */
function errorOf(failed: number, own: Attempt<unknown>, communicator: Communicator): WorkerError {
  const { rank, size } = communicator;
  const isOwn = rank === failed && "error" in own;
  const text = isOwn ? (own.error instanceof Error ? own.error.message : String(own.error)) : "";
  const length = communicator.broadcast(text.length, failed);
  const letters = Array.from({ length }, (_, i) => (i < text.length ? text.charCodeAt(i) : 0));
  const message = String.fromCharCode(...communicator.broadcast(letters, failed));
  return new WorkerError(failed, size, message, isOwn ? { cause: own.error } : undefined);
}
