import { type Tensor, tree } from "@chronograd/autodiff";
import { textOf } from "../checkDefinition.ts";
import type { ComparedWindow } from "./comparison.ts";

/** The estimate of one run. */
export interface Estimate {
  readonly gradient: Float64Array;
  /** How many losses there were, and their sum. */
  readonly losses: number;
  readonly loss: number;
  readonly windows: number;
}

/** Windows, whose errors name the estimator, with the original as their `cause`. */
function* started<T>(where: string, name: string, begin: () => Iterable<T>): Generator<T, void> {
  let windows: Iterator<T> | undefined;
  /** `act`, in the name of the estimator. */
  const named = <R>(act: () => R): R => {
    try {
      return act();
    } catch (cause) {
      const Kind = [RangeError, TypeError].find((kind) => cause instanceof kind) ?? Error;
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new Kind(`${where}: "${name}" threw: ${text}`, { cause });
    }
  };
  try {
    windows = named(() => {
      const made = begin();
      if (typeof made?.[Symbol.iterator] === "function") return made[Symbol.iterator]();
      throw new TypeError(`windows must return an iterable of windows, got ${textOf(made)}`);
    });
    for (;;) {
      const next = named(() => windows!.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    windows?.return?.();
  }
}

/** What a window lacks, in words. */
function missingOf(window: ComparedWindow<unknown, unknown> | null | undefined): string {
  if (typeof window !== "object" || window === null) return "";
  if (window.gradients === undefined) return " without gradients";
  return window.losses === undefined
    ? " without losses"
    : ` whose losses are ${textOf(window.losses)}`;
}

/** The sum of the gradients of all windows. */
export function estimateOf(
  where: string,
  name: string,
  params: unknown,
  begin: () => Iterable<ComparedWindow<unknown, unknown>>,
): Estimate {
  const paths = tree.leavesWithPath(params).map(([path]) => path);
  let gradient: Float64Array | undefined;
  let [losses, loss, count] = [0, 0, 0];
  for (const window of started(where, name, begin)) {
    if (!Array.isArray(window?.losses) || window.gradients === undefined) {
      throw new TypeError(
        `${where}: a window of "${name}" must be { gradients, losses }, a tree and a list with a number for each new step, got ${textOf(window)}${missingOf(window)}`,
      );
    }
    if (window.reduction === "mean") {
      throw new TypeError(
        `${where}: the windows of "${name}" are means, whose sum is the gradient of no loss; leave the reduction out`,
      );
    }
    const leaves = tree.leavesWithPath<Tensor>(window.gradients);
    if (leaves.map(([path]) => path).join("\n") !== paths.join("\n")) {
      throw new TypeError(
        `${where}: the gradients of "${name}" must be a tree like the parameters, with ${paths.join(", ")}, got ${leaves.map(([path]) => path).join(", ") || "nothing"}`,
      );
    }
    const numbers = leaves.flatMap(([, x]) => (x.dtype === "int32" ? [] : [...x.toTypedArray()]));
    gradient ??= new Float64Array(numbers.length);
    for (const [i, x] of numbers.entries()) gradient[i]! += x;
    losses += window.losses.length;
    for (const each of window.losses) loss += each;
    count++;
  }
  gradient ??= new Float64Array();
  if (!gradient.every(Number.isFinite)) {
    throw new RangeError(`${where}: the gradient of "${name}" is not finite`);
  }
  return { gradient, losses, loss, windows: count };
}
