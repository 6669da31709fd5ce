import { checkOptions } from "@chronograd/autodiff/internal";
import { textOf } from "../checkDefinition.ts";
import type { StepSource } from "../truncated/stream.ts";

/** The steps, so that they can be read many times. */
export function collected<X, Target>(
  where: string,
  stream: StepSource<X, Target>,
): StepSource<X, Target> {
  if (typeof stream === "object" && stream !== null) {
    if (Symbol.asyncIterator in stream) {
      throw new TypeError(
        `${where}: the stream is asynchronous; collect the steps first, as in await Array.fromAsync(stream)`,
      );
    }
    if (Symbol.iterator in stream) return [...stream];
  }
  return stream;
}

/** Throws a sentence for what cannot be compared. */
export function checkComparison(
  where: string,
  estimators: readonly { readonly name: string; readonly windows: unknown }[],
  options: { readonly loss?: unknown; readonly repeats?: number; readonly seed?: number },
): void {
  checkOptions(where, options, ["loss", "state", "rng", "repeats", "seed"]);
  const { loss, repeats = 2, seed = 1 } = options ?? {};
  if (typeof loss !== "function") {
    throw new TypeError(
      `${where}: loss must be a function of output and target, got ${textOf(loss)}`,
    );
  }
  if (!Number.isInteger(repeats) || repeats < 2) {
    throw new RangeError(
      `${where}: repeats must be a whole number of runs of at least 2, got ${textOf(repeats)}; a variance needs two`,
    );
  }
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(
      `${where}: seed must be a whole number between -2^53 and 2^53, got ${textOf(seed)}`,
    );
  }
  if (!Array.isArray(estimators) || estimators.length === 0) {
    throw new TypeError(
      `${where}: estimators must be a list of { name, windows }, got ${Array.isArray(estimators) ? "an empty one" : textOf(estimators)}`,
    );
  }
  const names = new Set<string>();
  for (const each of estimators) {
    const { name, windows } = Object(each) as { name?: unknown; windows?: unknown };
    if (typeof name !== "string" || name === "" || typeof windows !== "function") {
      throw new TypeError(
        `${where}: an estimator must be { name, windows }, a text and a function (cell, params, stream, options, draws) => windows, got ${textOf(each)}`,
      );
    }
    if (names.has(name)) {
      throw new TypeError(`${where}: two estimators are called "${name}"; give each its own name`);
    }
    names.add(name);
    checkOptions(`${where}: the estimator "${name}"`, each, ["name", "windows"]);
  }
}
