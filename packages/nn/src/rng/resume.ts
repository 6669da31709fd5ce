import { shown } from "../checks.ts";
import { Rng, type RngState } from "./rng.ts";

function isWords(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 4 &&
    value.every((word) => Number.isInteger(word) && (word | 0) === word)
  );
}

/**
 * The generator that `getState()` was taken from, at the draw where it was taken.
 *
 * @throws when `state` is not what `getState()` returns
 *
 * @example
 * ```ts
 * import { rng, rngFrom } from "@chronograd/nn";
 *
 * const noise = rng(7, "noise");
 * noise.normal();
 * const saved = JSON.stringify(noise.getState());
 * rngFrom(JSON.parse(saved)).normal() === noise.normal(); // => true
 * ```
 */
export function rngFrom(state: RngState): Rng {
  const problem = problemOf(state);
  if (problem !== undefined) {
    throw new TypeError(`rngFrom: ${problem}; pass what getState() returned`);
  }
  const { name, key, position, spare } = state;
  return new Rng({ name, key: [...key], position: [...position], spare });
}

function problemOf(state: unknown): string | undefined {
  if (typeof state !== "object" || state === null)
    return `expected a state object, got ${shown(state)}`;
  const { name, key, position, spare } = state as Record<string, unknown>;
  if (typeof name !== "string") return `name must be a string, got ${typeof name}`;
  if (!isWords(key)) return "key must be four 32-bit integers";
  if (!isWords(position)) return "position must be four 32-bit integers";
  if ((position as number[]).every((word) => word === 0)) return "position must not be all zeros";
  if (spare !== null && !Number.isFinite(spare))
    return `spare must be a number or null, got ${shown(spare)}`;
  return undefined;
}
