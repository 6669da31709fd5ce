import { editDistance } from "@chronograd/nn/metrics";

const letters = (word: string) => word.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");

/**
 * The one of some words that a misspelt one most likely stands for, if any is near; case and
 * whatever is no letter or digit do not count.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = letters(word);
  let [found, least] = [undefined as string | undefined, Infinity];
  for (const candidate of known) {
    const distance = editDistance(wanted, letters(candidate));
    if (distance < least) [found, least] = [candidate, distance];
  }
  // A third of the letters may be wrong, and one in any case.
  return least <= Math.max(1, wanted.length / 3) ? found : undefined;
}

/** `, did you mean "lstm"?`, or what stands otherwise. */
export function hintFor(word: string, known: readonly string[], otherwise = ""): string {
  const found = nearest(word, known);
  return found === undefined ? otherwise : `, did you mean "${found}"?`;
}
