import { hintFor } from "./command/nearest.ts";

/** Throws a sentence for an option that is not known, as a misspelt one. */
export function checkOptions(where: string, options: object, known: readonly string[]): void {
  const stranger = Object.keys(options).find((name) => !known.includes(name));
  if (stranger === undefined) return;
  throw new TypeError(
    `${where}: there is no option "${stranger}"${hintFor(stranger, known, ".")} It takes ${known.join(", ")}`,
  );
}
