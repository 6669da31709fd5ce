import { UsageError } from "./errors.ts";
import { hintFor } from "./nearest.ts";

/**
 * The names of a list that a user gave, in the order in which they are known. Throws a `UsageError`
 * for one that is not known.
 */
export function chosenOf<Name extends string>(
  flag: string,
  words: readonly string[],
  known: readonly Name[],
): Name[] {
  const unknown = words.find((word) => !known.includes(word as Name));
  if (unknown !== undefined) {
    throw new UsageError(
      `${flag}: there is no ${JSON.stringify(unknown)}${hintFor(unknown, known, ";")} expected some of ${known.join(", ")}`,
    );
  }
  return known.filter((name) => words.includes(name));
}
