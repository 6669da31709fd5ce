import { editDistance } from "@chronograd/nn/metrics";

/** The one of some words that a misspelt one most likely stands for, if any is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let [found, least] = [undefined as string | undefined, Infinity];
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [found, least] = [candidate, distance];
  }
  // A third of the letters may be wrong, and one in any case.
  return least <= Math.max(1, word.length / 3) ? found : undefined;
}

/** `; did you mean lstm?`, or nothing. */
export function hintFor(word: string, known: readonly string[]): string {
  const found = nearest(word, known);
  return found === undefined || found === word ? "" : `; did you mean ${found}?`;
}
