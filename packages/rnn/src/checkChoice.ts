import { nearestOf } from "@chronograd/autodiff/internal";
import { textOf } from "./checkDefinition.ts";

/** Throws a sentence unless an option is one of a few words. */
export function checkChoice(
  where: string,
  name: string,
  chosen: unknown,
  words: readonly string[],
): void {
  if (words.includes(chosen as string)) return;
  const nearest = typeof chosen === "string" ? nearestOf(chosen, words) : undefined;
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  const quoted = words.map((word) => JSON.stringify(word));
  const list = words.length < 3 ? quoted.join(" or ") : `one of ${quoted.join(", ")}`;
  throw new TypeError(`${where}: ${name} must be ${list}, got ${textOf(chosen)}${hint}`);
}
